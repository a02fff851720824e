import { withAdmin } from './support/admin.ts';
import { integer, parseOptions, required, runTool, toolCommand, UsageError } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  config?: string;
  id?: number;
}

const command = toolCommand('kafka-cluster', 'Tells the id of a cluster.')
  .usage('cluster-id | unregister [options]')
  .option('-b, --bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('-c, --config <file>', 'Properties for the admin client.')
  .option('-i, --id <id>', 'unregister: the broker.', integer('id', 0));

async function main([action, ...argv]: string[]): Promise<void> {
  if (action !== 'cluster-id' && action !== 'unregister') {
    throw new UsageError(
      action === undefined ? '' : `invalid choice: '${action}' (choose from 'cluster-id', 'unregister')`,
    );
  }
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  if (action === 'unregister') {
    required(options.id, 'id');
    // With ZooKeeper a broker is registered as long as its session lives; only KRaft has something to take back.
    process.stdout.write('The cluster does not support the broker unregistration API.\n');
    return;
  }
  const { clusterId } = await withAdmin(bootstrap, options.config, admin => admin.describeCluster());
  process.stdout.write(`Cluster ID: ${clusterId}\n`);
}

await runTool(command, main);
