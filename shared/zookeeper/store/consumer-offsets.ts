import { consumerOffsetPath } from '../paths.ts';
import { MalformedZnodeError } from '../znodes/json.ts';
import { isZooKeeperError } from '../zookeeper.ts';
import { createWithParents, read, untilKnown, type StoreContext } from './context.ts';

/** `/consumers/<group>/offsets/<topic>/<partition>`: where the clients of before Kafka 0.9 have their offsets, as digits. */
export class ConsumerOffsetStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** null where there is none. @throws MalformedZnodeError */
  async get(group: string, topic: string, partition: number): Promise<number | null> {
    const path = consumerOffsetPath(group, topic, partition);
    const text = (await read(this.#context, path))?.data?.toString() ?? '';
    if (text === '') return null;
    if (!/^-?\d+$/.test(text)) throw new MalformedZnodeError(path, 'expected a decimal number');
    return Number(text);
  }

  async set(group: string, topic: string, partition: number, offset: number): Promise<void> {
    const path = consumerOffsetPath(group, topic, partition);
    const data = Buffer.from(String(offset));
    if (await this.#overwrite(path, data)) return;
    // Somebody else may create it first, and then is to be overwritten all the same.
    if (!(await createWithParents(this.#context, path, data))) await this.#overwrite(path, data);
  }

  /** False: there is no such node. */
  #overwrite(path: string, data: Buffer): Promise<boolean> {
    return untilKnown(this.#context, async () => {
      try {
        await this.#context.zk.setData(path, data, -1);
        return true;
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
        return false;
      }
    });
  }
}
