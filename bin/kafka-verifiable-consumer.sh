#!/usr/bin/env bash
. "$(dirname "$(readlink -f "$0")")/lib/common.sh"
run_samsa admin-cli/kafka-verifiable-consumer.ts "$@"
