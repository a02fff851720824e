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

  it('has levels that change while it is used, for each component by itself or for all', () => {
    const { log, text } = logger();
    const storage = log.child({ component: 'storage' });
    const segment = storage.child({ segment: 7 });
    const lines = () => text().split('\n').length - 1;
    segment.debug('1, not shown');
    log.levels!.set('kafka.storage', 'DEBUG');
    segment.debug({ a: 1 }, '2, shown');
    log.debug('3, not shown');
    expect(lines()).toBe(1);
    log.levels!.set('root', 'OFF');
    log.fatal('4, not shown');
    storage.info('5, shown');
    log.levels!.unset('kafka.storage');
    storage.error('6, not shown');
    expect(lines()).toBe(2);
    expect(JSON.parse(text().split('\n')[0]!)).toMatchObject({ level: 'debug', segment: 7, a: 1, msg: '2, shown' });
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
