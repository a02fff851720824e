import { clientSettings, keyValues } from './support/settings.ts';
import { parseReplicaAssignment } from './support/replica-assignment.ts';
import { parseOptions, runTool, ToolFailure, UsageError } from './support/tool.ts';
import { checkedAction, topicsCommand, type TopicsOptions } from './topics/options.ts';
import type { TopicsTarget } from './topics/target.ts';

const command = topicsCommand();

async function target(options: TopicsOptions): Promise<TopicsTarget> {
  if (options.zookeeper !== undefined) {
    const { ZooKeeperTopics } = await import('./topics/zookeeper-topics.ts');
    return ZooKeeperTopics.connect(options.zookeeper);
  }
  const { BrokerTopics } = await import('./topics/broker-topics.ts');
  return new BrokerTopics(clientSettings(options.bootstrapServer!, options.commandConfig));
}

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<TopicsOptions>(command, argv);
  const action = checkedAction(options);
  const configs = keyValues(options.config, 'config');
  const assignment = options.replicaAssignment === undefined ? null : parseReplicaAssignment(options.replicaAssignment);
  const topics = await target(options);
  try {
    await topics.run(action, options, { configs, assignment });
  } catch (error) {
    if (error instanceof UsageError || error instanceof ToolFailure) throw error;
    throw new ToolFailure(
      `Error while executing topic command : ${error instanceof Error ? error.message : String(error)}`,
      'stdout',
    );
  } finally {
    await topics.close();
  }
}

await runTool(command, main);
