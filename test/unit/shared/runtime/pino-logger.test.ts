import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, logLevelFrom, type LoggerSettings } from '../../../../shared/runtime/pino-logger.ts';

/** A logger and the text that it has written. */
function logger(settings: Partial<LoggerSettings> = {}) {
  let text = '';
  const destination = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { log: createLogger({ level: 'info', pretty: false, destination, ...settings }), text: () => text };
}

describe('createLogger', () => {
  it('writes one JSON line an event, with level, time, broker, component and the event’s own fields', () => {
    const { log, text } = logger({ brokerId: 0 });
    log.child({ component: 'storage' }).warn({ directory: '/d', err: new Error('broken') }, 'offline');
    const [line, rest] = text().split('\n');
    expect(rest).toBe('');
    const event = JSON.parse(line!);
    expect(event).toMatchObject({ level: 'warn', broker: 0, component: 'storage', directory: '/d', msg: 'offline' });
    expect(event.err.message).toBe('broken');
    expect(new Date(event.time).toISOString()).toBe(event.time);
    expect(event).not.toHaveProperty('pid');
  });

  it('is silent below its level', () => {
    const { log, text } = logger({ level: 'warn' });
    log.info('nothing');
    expect(text()).toBe('');
  });

  it('writes for people when asked to: broker 0 is a broker, too', async () => {
    const { log, text } = logger({ pretty: true, brokerId: 0 });
    log.child({ component: 'network' }).info('[KafkaServer id=0] started');
    await expect.poll(text).toMatch(/INFO: \[0\] network: \[KafkaServer id=0\] started\n$/);
  });
});

describe('logLevelFrom', () => {
  it('takes the level of the environment, else info', () => {
    expect(logLevelFrom({})).toBe('info');
    expect(logLevelFrom({ LOG_LEVEL: 'WARN' })).toBe('warn');
    expect(logLevelFrom({ SAMSA_LOG_LEVEL: 'debug', LOG_LEVEL: 'error' })).toBe('debug');
    expect(logLevelFrom({ LOG_LEVEL: 'loud' })).toBe('info');
  });
});
