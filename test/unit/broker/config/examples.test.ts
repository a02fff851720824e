import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';

const root = join(import.meta.dirname, '../../../..');
const example = (id: number) => BrokerConfig.load({ file: join(root, `etc/server-${id}.properties`) });

describe('the example files', () => {
  it.each([0, 1, 2])('server-%i starts broker %i without a warning', id => {
    const config = example(id);
    expect(config.warnings).toEqual([]);
    expect(config.get('broker.id')).toBe(id);
    expect(config.listeners.advertised.map(({ port }) => port)).toEqual([9092 + id]);
    expect(config.logDirs).toEqual([`data/kafka-${id}`]);
    expect(config.get('min.insync.replicas')).toBe(2);
  });
});

it('the generated pages are what the tables say', () => {
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'docs/generate.ts', '--check'], {
    cwd: root,
  });
});
