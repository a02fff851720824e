import { ConfigError } from '../shared/config/config-error.ts';
import { createLogger, logLevelFrom } from '../shared/runtime/pino-logger.ts';
import { VERSION } from '../shared/version.ts';
import { Broker } from './broker.ts';
import { BrokerConfig } from './config/broker-config.ts';
import { parseOverrides } from './config/settings.ts';
import { systemPlatform } from './system-platform.ts';

/**
 * kafka-server-start: FILE.properties [--override key=value]…
 * Exit status 0 after a clean stop, 1 when the start or the stop failed.
 */

const USAGE = 'USAGE: kafka-server-start [-daemon] server.properties [--override property=value]*';

interface Arguments {
  readonly file: string;
  readonly overrides: readonly string[];
}

function parseArguments(argv: readonly string[]): Arguments | string {
  const [file, ...rest] = argv;
  if (file === undefined || file.startsWith('-')) return USAGE;
  const overrides: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const argument = rest[i]!;
    const inline = /^--override=(.*)$/s.exec(argument)?.[1];
    const value = inline ?? (argument === '--override' ? rest[++i] : undefined);
    if (value === undefined) return `Found non argument parameters: ${argument}\n${USAGE}`;
    overrides.push(value);
  }
  return { file, overrides };
}

function loadConfig({ file, overrides }: Arguments): BrokerConfig {
  return BrokerConfig.load({ file, overrides: parseOverrides(overrides), environment: process.env });
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

async function run(argv: readonly string[]): Promise<void> {
  if (argv.includes('--version')) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const parsed = parseArguments(argv);
  if (typeof parsed === 'string') {
    process.stdout.write(`${parsed}\n`);
    process.exit(1);
  }
  let config: BrokerConfig;
  try {
    config = loadConfig(parsed);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  }
  // libuv reads this when its pool is first used: reads, fsyncs and file removal run there.
  process.env.UV_THREADPOOL_SIZE ??= String(config.get('num.io.threads'));
  const configuredId = config.get('broker.id');
  const logger = createLogger({
    level: logLevelFrom(process.env),
    pretty: process.stdout.isTTY,
    ...(configuredId >= 0 ? { brokerId: configuredId } : {}),
  });
  process.on('uncaughtException', error => {
    logger.fatal({ err: error }, 'an unexpected error ends this broker');
    process.exit(1);
  });
  const broker = new Broker(config, logger, systemPlatform(process.env));
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    broker.shutdown().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  try {
    await broker.start();
  } catch (error) {
    // What the configuration names may be found unusable as late as here: that is no crash, so it needs no stack.
    if (error instanceof ConfigError) logger.fatal(error.message);
    else logger.fatal({ err: error }, 'the start failed');
    await broker.abandon();
    process.exit(1);
  }
}

await run(process.argv.slice(2));
