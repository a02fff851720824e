import type { Logger } from '../../shared/runtime/logger.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { MalformedZnodeError } from '../../shared/zookeeper/znodes/json.ts';

const SETTING = 'unclean.leader.election.enable';

/** Whether topics prefer a leader that lost records to having none: their own setting, else the broker's. */
export class UncleanElection {
  readonly #store: ZooKeeperStore;
  readonly #enabledByDefault: () => boolean;
  readonly #logger: Logger;

  constructor(store: ZooKeeperStore, enabledByDefault: () => boolean, logger: Logger) {
    this.#store = store;
    this.#enabledByDefault = enabledByDefault;
    this.#logger = logger;
  }

  /** Those of the topics that allow it, read afresh: the setting may have just been changed. */
  async allowedTopics(topics: Iterable<string>): Promise<Set<string>> {
    const names = [...new Set(topics)];
    const allowed = await Promise.all(names.map(topic => this.#isAllowed(topic)));
    return new Set(names.filter((_, index) => allowed[index]));
  }

  async #isAllowed(topic: string): Promise<boolean> {
    try {
      const override = (await this.#store.configs.get('topics', topic)).get(SETTING);
      return override === undefined ? this.#enabledByDefault() : override.trim().toLowerCase() === 'true';
    } catch (error) {
      if (!(error instanceof MalformedZnodeError)) throw error;
      this.#logger.error({ err: error, topic }, 'cannot read the settings of a topic: no unclean election for it');
      return false;
    }
  }
}
