import type { Admin, BrokerInfo } from '../client/index.ts';
import { ApiVersions } from '../shared/protocol/messages/api-versions.ts';
import { VERSION } from '../shared/version.ts';
import { apiVersionLines } from './format/api-versions.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, required, runTool, toolCommand } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  commandConfig?: string;
}

const command = toolCommand('kafka-broker-api-versions', 'Shows which versions of which APIs the brokers serve.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--command-config <file>', 'Properties for the admin client.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  // Unless asked otherwise: the Kafka protocol is where all APIs are served, and where other brokers than ours answer too.
  await withAdmin(bootstrap, options.commandConfig, showAll, { 'samsa.dialect': 'kafka' });
}

async function showAll(admin: Admin): Promise<void> {
  const { brokers } = await admin.describeCluster();
  for (const broker of [...brokers].sort((a, b) => a.id - b.id)) {
    process.stdout.write(await describe(admin, broker));
  }
}

/** A broker that does not answer is a line, not the end. */
async function describe(admin: Admin, { id, host, port, rack }: BrokerInfo): Promise<string> {
  const head = `${host}:${port} (id: ${id} rack: ${rack ?? 'null'}) -> `;
  try {
    const connection = await admin.connectionTo(id);
    const request = { clientSoftwareName: 'samsa', clientSoftwareVersion: VERSION };
    const { apiKeys } = (await connection.call(ApiVersions, request))!;
    return `${head}(\n${apiVersionLines(apiKeys)}\n)\n`;
  } catch (error) {
    return `${head}ERROR: ${(error as Error).message}\n`;
  }
}

await runTool(command, main);
