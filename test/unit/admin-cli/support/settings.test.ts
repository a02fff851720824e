import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientSettings, keyValues, readSettings } from '../../../../admin-cli/support/settings.ts';

test('key=value options split at the first =', () => {
  expect(keyValues(['a=b=c', 'empty=', 'tab=\t'], 'property')).toEqual({ a: 'b=c', empty: '', tab: '\t' });
  expect(() => keyValues(['novalue'], 'property')).toThrow(
    "Cannot parse 'novalue' of option property: it takes key=value",
  );
});

test('a properties file is read as Java reads it; options go before it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-settings-'));
  try {
    const file = join(directory, 'client.properties');
    writeFileSync(file, '# comment\nclient.id = me\nbootstrap.servers=other:1\nacks:all\n');
    expect(clientSettings('b:9092', file)).toEqual({ 'client.id': 'me', 'bootstrap.servers': 'b:9092', acks: 'all' });
    expect(() => readSettings(join(directory, 'missing'))).toThrow(/^Cannot read .*missing: ENOENT/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
