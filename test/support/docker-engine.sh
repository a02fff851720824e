#!/usr/bin/env bash
# docker-engine.sh start|stop DIRECTORY: a Docker engine of our own for the container tests, with all its files under
# DIRECTORY, where the machine has the engine's program (Debian's package docker.io) but runs none. Needs root.
# `start` prints the environment to test with: eval "$(test/support/docker-engine.sh start DIRECTORY)"
set -euo pipefail
usage() {
  echo "usage: docker-engine.sh start|stop DIRECTORY" >&2
  exit 1
}
[ $# = 2 ] || usage
directory="$(mkdir -p "$2" && cd "$2" && pwd)"
socket="$directory/docker.sock"
pidfile="$directory/docker.pid"

case "$1" in
  start)
    command -v dockerd >/dev/null || {
      echo "docker-engine.sh: no dockerd on this machine; install Debian's package docker.io." >&2
      exit 1
    }
    setsid dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$pidfile" \
      -H "unix://$socket" --ip 127.0.0.1 >"$directory/dockerd.log" 2>&1 </dev/null &
    for _ in $(seq 300); do
      if curl -fs --max-time 1 --unix-socket "$socket" http://docker/_ping >/dev/null 2>&1; then
        # A machine that is itself a container fools testcontainers' guess of the host; the reaper's image would need a registry.
        echo "export DOCKER_HOST=unix://$socket TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TESTCONTAINERS_RYUK_DISABLED=true"
        exit 0
      fi
      kill -0 $! 2>/dev/null || break
      sleep 0.1
    done
    echo "docker-engine.sh: dockerd does not come up; the end of its log:" >&2
    tail -n 20 "$directory/dockerd.log" >&2
    exit 1
    ;;
  stop)
    [ -r "$pidfile" ] || exit 0
    pid="$(cat "$pidfile")"
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 200); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    # Containers in the machine's own network leave its name space mounted there.
    for namespace in "$directory"/exec/netns/*; do
      umount "$namespace" 2>/dev/null || true
    done
    rm -rf "$directory"
    ;;
  *) usage ;;
esac
