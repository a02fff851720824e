import type { Command } from 'commander';
import type { ConfigResource } from '../../client/index.ts';
import { collect, toolCommand, UsageError } from '../support/tool.ts';

export interface ConfigsOptions {
  bootstrapServer?: string;
  zookeeper?: string;
  commandConfig?: string;
  alter?: true;
  describe?: true;
  entityType?: string[];
  entityName?: string[];
  entityDefault?: true;
  topic?: string;
  broker?: string;
  brokerDefaults?: true;
  brokerLogger?: string;
  all?: true;
  addConfig?: string;
  addConfigFile?: string;
  deleteConfig?: string[];
  force?: true;
}

export function configsCommand(): Command {
  return toolCommand('kafka-configs', 'Shows and changes the settings of topics and brokers.')
    .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
    .option('--zookeeper <urls>', 'Work on ZooKeeper directly: host:port[/chroot].')
    .option('--command-config <file>', 'Properties for the admin client.')
    .option('--alter', 'Change settings.')
    .option('--describe', 'Show settings.')
    .option('--entity-type <type>', 'topics, brokers or broker-loggers.', collect)
    .option('--entity-name <name>', 'The topic, or the broker id.', collect)
    .option('--entity-default', 'The default of all brokers.')
    .option('--topic <topic>', 'Short for --entity-type topics --entity-name <topic>.')
    .option('--broker <id>', 'Short for --entity-type brokers --entity-name <id>.')
    .option('--broker-defaults', 'Short for --entity-type brokers --entity-default.')
    .option('--broker-logger <id>', 'Short for --entity-type broker-loggers --entity-name <id>.')
    .option('--all', 'With --describe: also what is not set for this topic or broker.')
    .option('--add-config <list>', 'Settings as k1=v1,k2=[v1,v2]; brackets protect commas.')
    .option('--add-config-file <file>', 'File with settings.')
    .option('--delete-config <list>', 'Names of settings to remove, separated by commas.', collect)
    .option('--force', 'Accepted for old scripts: nothing is asked.');
}

/** What is to be looked at or changed; `name` is null for all topics or all brokers with their default. */
export interface Entity {
  readonly type: ConfigResource['type'];
  /** '' is the default of all brokers. */
  readonly name: string | null;
}

/** @throws UsageError for what does not go together */
export function checkedEntity(options: ConfigsOptions): Entity {
  if ((options.alter === undefined) === (options.describe === undefined)) {
    throw new UsageError('Command must include exactly one action: --describe, --alter');
  }
  if (options.bootstrapServer === undefined && options.zookeeper === undefined) {
    throw new UsageError('One of the required --bootstrap-server or --zookeeper arguments must be specified');
  }
  if (options.bootstrapServer !== undefined && options.zookeeper !== undefined) {
    throw new UsageError('Only one of --bootstrap-server or --zookeeper can be specified');
  }
  const found = entity(options);
  if (found.type === 'broker-logger' && options.zookeeper !== undefined) {
    throw new UsageError('Broker loggers need --bootstrap-server: their levels are not in ZooKeeper');
  }
  if (options.alter) checkAlter(options, found);
  return found;
}

function entity(options: ConfigsOptions): Entity {
  const given: Entity[] = [];
  if (options.topic !== undefined) given.push({ type: 'topic', name: options.topic });
  if (options.broker !== undefined) given.push({ type: 'broker', name: options.broker });
  if (options.brokerDefaults) given.push({ type: 'broker', name: '' });
  if (options.brokerLogger !== undefined) given.push({ type: 'broker-logger', name: options.brokerLogger });
  if (options.entityType !== undefined) given.push(longForm(options));
  const [only, ...others] = given;
  if (only === undefined) throw new UsageError('At least one entity type must be specified');
  if (others.length > 0) throw new UsageError('Only one topic or broker can be specified');
  if (only.type !== 'topic' && only.name !== null && !/^\d*$/.test(only.name)) {
    throw new UsageError(`The entity name for ${only.type}s must be a valid integer broker id, found: ${only.name}`);
  }
  return only;
}

function longForm({ entityType, entityName, entityDefault }: ConfigsOptions): Entity {
  const name = entityName?.[0] ?? (entityDefault ? '' : null);
  if (entityType!.length > 1 || (entityName?.length ?? 0) > 1)
    throw new UsageError('Only one topic or broker can be specified');
  switch (entityType![0]) {
    case 'topics':
      if (name === '')
        throw new UsageError('There are no default settings of topics: --entity-default goes with brokers');
      return { type: 'topic', name };
    case 'brokers':
      return { type: 'broker', name };
    case 'broker-loggers':
      if (name === '') throw new UsageError('Loggers have no default: --entity-default goes with brokers');
      return { type: 'broker-logger', name };
    case 'clients':
    case 'users':
    case 'ips':
    case 'client-metrics':
      throw new UsageError(
        `Entity type ${entityType![0]} is not supported yet, only topics, brokers and broker-loggers are`,
      );
    default:
      throw new UsageError(
        `Invalid entity type ${entityType![0]!}, the entity type must be one of topics, brokers, broker-loggers`,
      );
  }
}

function checkAlter(options: ConfigsOptions, { name }: Entity): void {
  if (name === null) throw new UsageError('An entity name, or --entity-default, must be specified with --alter');
  if (options.addConfig !== undefined && options.addConfigFile !== undefined) {
    throw new UsageError('Only one of --add-config or --add-config-file can be specified');
  }
  if (options.addConfig === undefined && options.addConfigFile === undefined && options.deleteConfig === undefined) {
    throw new UsageError(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    );
  }
}
