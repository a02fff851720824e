import { describe, expect, it } from 'vitest';
import { BROKER_CONFIG_GROUPS, BROKER_CONFIG_TABLE, STAND_INS } from '../../../../broker/config/table/index.ts';
import { BROKER_CONFIG_KEYS, brokerConfigRow } from '../../../../broker/config/values.ts';
import { parseSetting, REQUIRED } from '../../../../shared/config/table.ts';
import { TOPIC_CONFIG_KEYS, topicConfigRow } from '../../../../shared/topics/topic-config.ts';

describe('the broker table', () => {
  it('has each key in one group only', () => {
    const inGroups = BROKER_CONFIG_GROUPS.flatMap(({ rows }) => Object.keys(rows));
    expect(inGroups).toHaveLength(new Set(inGroups).size);
    expect(inGroups.sort()).toEqual(Object.keys(BROKER_CONFIG_TABLE).sort());
  });

  it.each(BROKER_CONFIG_KEYS)('%s has a default that it accepts itself, and reads back as written', key => {
    const row = brokerConfigRow(key)!;
    if (row.default === REQUIRED || row.default === null) return;
    expect(parseSetting(key, row, row.format(row.default))).toEqual(row.default);
    expect(row.doc).toMatch(/\.$/);
  });

  it('gives every setting that others stand in for a value in the end', () => {
    for (const [key, standIns] of Object.entries(STAND_INS)) {
      expect(brokerConfigRow(key)!.default).toBeNull();
      expect(brokerConfigRow(standIns.at(-1)!.key)!.default).not.toBeNull();
    }
  });
});

describe('topic settings', () => {
  it.each(TOPIC_CONFIG_KEYS)('%s has the type and bounds of its broker setting', key => {
    const row = topicConfigRow(key)!;
    expect(parseSetting(key, row, row.format(row.default))).toEqual(row.default);
    if (row.synonym === null) return;
    const broker = brokerConfigRow(row.synonym)!;
    expect(broker.type).toBe(row.type);
    if (broker.default !== null) expect(broker.default).toEqual(row.default);
  });
});
