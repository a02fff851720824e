import type { Logger } from '../../shared/runtime/logger.ts';

/** The same line is not shown again within this time: a client that waits for a broker would repeat itself. */
const QUIET_MS = 5_000;

/** What a tool's client has to say, warnings and worse, on stderr: stdout belongs to what the tool was asked for. */
export function toolLogger(write: (line: string) => void = line => process.stderr.write(line)): Logger {
  const lastShown = new Map<string, number>();
  const show = (level: string, fields: object | string, message?: string) => {
    const text = `${level} ${typeof fields === 'string' ? fields : withCause(fields, message!)}`;
    const now = Date.now();
    if (now - (lastShown.get(text) ?? -Infinity) < QUIET_MS) return;
    lastShown.set(text, now);
    write(`[${timestamp(now)}] ${text}\n`);
  };
  const ignore = () => {};
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: (fields: object | string, message?: string) => show('WARN', fields, message),
    error: (fields: object | string, message?: string) => show('ERROR', fields, message),
    fatal: (fields: object | string, message?: string) => show('FATAL', fields, message),
    child: () => logger,
  };
  return logger;
}

function withCause(fields: object, message: string): string {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? `${message}: ${err.message}` : message;
}

/** Local time as Kafka's tools log it: `2026-11-21 05:30:00,123`. */
function timestamp(now: number): string {
  const local = new Date(now - new Date(now).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, -1).replace('T', ' ').replace('.', ',');
}
