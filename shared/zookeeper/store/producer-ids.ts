import { PRODUCER_ID_BLOCK_PATH } from '../paths.ts';
import {
  type ClaimedProducerIds,
  decodeProducerIdBlock,
  encodeProducerIdBlock,
  type ProducerIdBlock,
} from '../znodes/producer-ids.ts';
import { MalformedZnodeError } from '../znodes/json.ts';
import { isZooKeeperError } from '../zookeeper.ts';
import { createIfAbsent, read, untilKnown, type StoreContext } from './context.ts';

/** Ids in a block (Kafka: `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`). */
const BLOCK_SIZE = 1000;

/** `/latest_producer_id_block`. */
export class ProducerIdStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /**
   * Claims the block behind the one claimed last, for a broker (Kafka: `ZkProducerIdManager.getNewProducerIdBlock`). Of
   * two that claim at a time each gets its own: the write holds only for the version that was read. Where the answer to
   * the write is lost with the connection, the block may have become another's: it is left unused, and the next one
   * claimed.
   * @throws MalformedZnodeError, also when all ids are used up
   */
  async claim(broker: number): Promise<ProducerIdBlock> {
    while (true) {
      const node = await read(this.#context, PRODUCER_ID_BLOCK_PATH);
      if (node === null) {
        await createIfAbsent(this.#context, PRODUCER_ID_BLOCK_PATH, null);
        continue;
      }
      const block = nextBlock(broker, decodeProducerIdBlock(node.data));
      if (await this.#write(block, node.stat.version)) return block;
    }
  }

  #write(block: ClaimedProducerIds, version: number): Promise<boolean> {
    const data = encodeProducerIdBlock(block);
    return untilKnown(this.#context, async () => {
      try {
        await this.#context.zk.setData(PRODUCER_ID_BLOCK_PATH, data, version);
        return true;
      } catch (error) {
        if (!isZooKeeperError(error, 'BAD_VERSION', 'NO_NODE')) throw error;
        return false;
      }
    });
  }
}

function nextBlock(broker: number, latest: ClaimedProducerIds | null): ClaimedProducerIds {
  const first = latest === null ? 0 : latest.last + 1;
  const last = first + BLOCK_SIZE - 1;
  if (!Number.isSafeInteger(last)) {
    throw new MalformedZnodeError(PRODUCER_ID_BLOCK_PATH, `no producer ids are left behind ${first - 1}`);
  }
  return { broker, first, last };
}
