import { describe, expect, test } from 'vitest';
import { parseOffsetFile } from '../../../../admin-cli/records/offset-file.ts';

describe('the file of kafka-delete-records', () => {
  test('takes partitions with offsets; the version may be left out', () => {
    const text = '{"partitions":[{"topic":"t","partition":0,"offset":3},{"topic":"t","partition":1,"offset":-1}]}';
    expect(parseOffsetFile(text)).toEqual([
      { topic: 't', partition: 0, offset: 3 },
      { topic: 't', partition: 1, offset: -1 },
    ]);
    expect(parseOffsetFile(text.replace('{', '{"version":1,'))).toHaveLength(2);
  });

  test.each([
    ['{"version":2,"partitions":[]}', 'Not supported version field value 2'],
    ['{"version":1}', 'Missing partitions field'],
    ['{"partitions":[{"topic":"t","partition":0}]}', '"topic":"t"'],
    ['{"partitions":[{"topic":"t","partition":0,"offset":-2}]}', '"offset":-2'],
    ['{"partitions":[null]}', 'null is no partition'],
    [
      '{"partitions":[{"topic":"t","partition":0,"offset":1},{"topic":"t","partition":0,"offset":2}]}',
      'Offset json file contains duplicate topic partitions: t-0',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseOffsetFile(text)).toThrow(message);
  });
});
