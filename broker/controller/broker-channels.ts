import type { Address, Connector } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { RegisteredBroker } from '../../shared/zookeeper/store.ts';
import { BrokerChannel } from './broker-channel.ts';
import type { ControlRequest, StopReplicaRequest } from './request-batch.ts';

/** Versions spoken: those of inter.broker.protocol.version 3.9. */
const LEADER_AND_ISR_VERSION = 7;
const UPDATE_METADATA_VERSION = 8;
const STOP_REPLICA_VERSION = 4;

/** Told what brokers answer. UpdateMetadata's answer says nothing of interest. */
export interface ResponseListener {
  leaderAndIsrAnswered(broker: number, response: ResponseOf<typeof LeaderAndIsr>): void;
  stopReplicaAnswered(broker: number, request: StopReplicaRequest, response: ResponseOf<typeof StopReplica>): void;
}

export interface ChannelParts {
  readonly connector: Connector;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Name of the listener on which brokers take requests of the controller. */
  readonly listenerName: string;
  /** Time limit of one attempt, milliseconds. */
  readonly requestTimeoutMs: number;
  readonly listener: ResponseListener;
}

/** One channel per registered broker (Kafka: `ControllerChannelManager`). */
export class BrokerChannels {
  readonly #parts: ChannelParts;
  readonly #channels = new Map<number, BrokerChannel>();

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  add(broker: RegisteredBroker): void {
    const address = addressOn(broker, this.#parts.listenerName);
    if (address === null) {
      this.#parts.logger.error(
        { broker: broker.id },
        `broker ${broker.id} has no listener ${this.#parts.listenerName}: it cannot be told anything`,
      );
      return;
    }
    this.#channels.set(broker.id, new BrokerChannel(address, this.#parts));
  }

  /** Drops the channel with all it has not delivered. */
  remove(broker: number): void {
    this.#channels.get(broker)?.close();
    this.#channels.delete(broker);
  }

  closeAll(): void {
    for (const broker of [...this.#channels.keys()]) this.remove(broker);
  }

  send(control: ControlRequest): void {
    const { broker } = control;
    const channel = this.#channels.get(broker);
    if (channel === undefined) return;
    const { requestTimeoutMs: timeoutMs, listener } = this.#parts;
    switch (control.kind) {
      case 'leaderAndIsr':
        channel.send(LeaderAndIsr, LEADER_AND_ISR_VERSION, control.request, timeoutMs, response =>
          listener.leaderAndIsrAnswered(broker, response),
        );
        break;
      case 'updateMetadata':
        channel.send(UpdateMetadata, UPDATE_METADATA_VERSION, control.request, timeoutMs, () => undefined);
        break;
      case 'stopReplica':
        channel.send(StopReplica, STOP_REPLICA_VERSION, control.request, timeoutMs, response =>
          listener.stopReplicaAnswered(broker, control.request, response),
        );
        break;
    }
  }
}

function addressOn({ registration }: RegisteredBroker, listenerName: string): Address | null {
  const endpoint = registration.endpoints.find(candidate => candidate.listenerName === listenerName);
  return endpoint === undefined ? null : { host: endpoint.host, port: endpoint.port };
}
