import { requestedChanges } from './configs/changes.ts';
import { checkedEntity, configsCommand, type ConfigsOptions, type Entity } from './configs/options.ts';
import { parseOptions, runTool, ToolFailure, UsageError } from './support/tool.ts';

const command = configsCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<ConfigsOptions>(command, argv);
  const entity = checkedEntity(options);
  try {
    await (options.zookeeper === undefined
      ? atBrokers(options, entity)
      : atZooKeeper(options.zookeeper, options, entity));
  } catch (error) {
    if (error instanceof UsageError || error instanceof ToolFailure) throw error;
    throw new ToolFailure(
      `Error while executing config command with args '${argv.join(' ')}': ${(error as Error).message}`,
    );
  }
}

async function atBrokers(options: ConfigsOptions, entity: Entity): Promise<void> {
  const [{ withAdmin }, { alterConfigs, describeConfigs }] = await Promise.all([
    import('./support/admin.ts'),
    import('./configs/broker-configs.ts'),
  ]);
  await withAdmin(options.bootstrapServer!, options.commandConfig, async admin => {
    if (options.describe) return show(describeConfigs(admin, entity, options.all === true));
    print(await alterConfigs(admin, { ...entity, name: entity.name! }, requestedChanges(options)));
  });
}

async function atZooKeeper(connectString: string, options: ConfigsOptions, entity: Entity): Promise<void> {
  const [{ withStore }, { alterInZooKeeper, describeInZooKeeper }] = await Promise.all([
    import('./zookeeper/connect.ts'),
    import('./configs/zookeeper-configs.ts'),
  ]);
  print('Warning: --zookeeper is deprecated and will be removed in a future version of Kafka.');
  print('Use --bootstrap-server instead to specify a broker to connect to.');
  await withStore(connectString, async store => {
    if (options.describe) return show(describeInZooKeeper(store, entity));
    print(await alterInZooKeeper(store, entity, requestedChanges(options)));
  });
}

async function show(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) print(line);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runTool(command, main);
