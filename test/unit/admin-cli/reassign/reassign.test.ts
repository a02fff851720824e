import { describe, expect, test } from 'vitest';
import {
  logDirStateLine,
  ongoingLines,
  partitionNames,
  reassignmentJson,
  reassignmentStateLine,
} from '../../../../admin-cli/format/reassignment.ts';
import { parseBrokerList, parseReassignmentFile, parseTopicsFile } from '../../../../admin-cli/reassign/input.ts';
import { chosenAction, type ReassignOptions } from '../../../../admin-cli/reassign/options.ts';
import { movesOf, topicThrottles } from '../../../../admin-cli/reassign/throttles.ts';

function file(...partitions: unknown[]): string {
  return JSON.stringify({ version: 1, partitions });
}

describe('the reassignment file', () => {
  test('names replicas, and directories for some of them', () => {
    const text = file(
      { topic: 't', partition: 0, replicas: [1, 2], log_dirs: ['any', '/data/a'] },
      { topic: 't', partition: 1, replicas: [3] },
    );
    expect(parseReassignmentFile(text)).toEqual({
      partitions: [
        { topic: 't', partition: 0, replicas: [1, 2] },
        { topic: 't', partition: 1, replicas: [3] },
      ],
      logDirs: [{ topic: 't', partition: 0, broker: 2, directory: '/data/a' }],
    });
    expect(parseReassignmentFile('{"partitions":[{"topic":"t","partition":0,"replicas":[1]}]}').logDirs).toEqual([]);
  });

  test.each<[string, string]>([
    ['{"version":2,"partitions":[]}', 'Not supported version field value 2'],
    ['{"version":1}', 'no list "partitions"'],
    [file(), 'Partition reassignment list cannot be empty'],
    [file({ topic: 't', partition: '0', replicas: [1] }), 'is no partition'],
    [file({ topic: 't', partition: 0, replicas: [] }), 'Partition replica list cannot be empty: t-0'],
    [file({ topic: 't', partition: 0, replicas: [1, 2, 1] }), 't-0 has more than one of: 1'],
    [file({ topic: 't', partition: 0, replicas: [1], log_dirs: ['any', 'any'] }), '1 replicas, but 2 log_dirs'],
    [file({ topic: 't', partition: 0, replicas: [1], log_dirs: ['data'] }), 'absolute paths, not ["data"]'],
    [
      file({ topic: 't', partition: 0, replicas: [1] }, { topic: 't', partition: 0, replicas: [2] }),
      'duplicate topic partitions: t-0',
    ],
  ])('%s is refused', (text, problem) => {
    expect(() => parseReassignmentFile(text)).toThrow(problem);
  });

  test('of topics, and the list of brokers', () => {
    expect(parseTopicsFile('{"version":1,"topics":[{"topic":"a"},{"topic":"b"}]}')).toEqual(['a', 'b']);
    expect(() => parseTopicsFile('{"topics":[{"topic":"a"},{"topic":"a"}]}')).toThrow('duplicate entries: a');
    expect(() => parseTopicsFile('{"topics":[]}')).toThrow('no topics');
    expect(parseBrokerList('0, 1,2')).toEqual([0, 1, 2]);
    expect(() => parseBrokerList('1,1')).toThrow('Broker list contains duplicate entries: 1');
    expect(() => parseBrokerList('1,x')).toThrow("'x'");
  });
});

describe('the action', () => {
  const servers = { bootstrapServer: 'b:1' };

  test.each<[ReassignOptions, string]>([
    [servers, 'Command must include exactly one action: --generate, --execute, --verify, --cancel, --list'],
    [{ ...servers, verify: true, list: true }, 'exactly one action'],
    [{ list: true }, 'Please specify --bootstrap-server'],
    [{ ...servers, execute: true }, 'Missing required argument "[reassignment-json-file]"'],
    [{ ...servers, generate: true, topicsToMoveJsonFile: 'f' }, 'Missing required argument "[broker-list]"'],
    [{ ...servers, list: true, throttle: 1 }, 'Option "[throttle]" can\'t be used with action "[list]"'],
    [{ ...servers, verify: true, reassignmentJsonFile: 'f', additional: true }, 'Option "[additional]"'],
  ])('%j is refused', (options, problem) => {
    expect(() => chosenAction(options)).toThrow(problem);
  });

  test('is the chosen one', () => {
    expect(chosenAction({ ...servers, execute: true, reassignmentJsonFile: 'f', throttle: 1 })).toBe('execute');
    expect(chosenAction({ ...servers, list: true })).toBe('list');
  });
});

describe('throttles', () => {
  test('name the brokers that partitions come from and go to', () => {
    const wanted = [
      { topic: 't', partition: 0, replicas: [2, 3] },
      { topic: 't', partition: 1, replicas: [1, 4] },
    ];
    const current = new Map([
      ['t-0', [1, 2]],
      ['t-1', [4, 1]],
    ]);
    const moves = movesOf([], wanted, current);
    expect(topicThrottles(moves).map(({ value }) => value)).toEqual(['0:1,0:2,1:1,1:4', '0:3']);
  });

  test('of what is under way come along; a new target begins where the former did', () => {
    const ongoing = [
      { topic: 't', partition: 0, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] },
      { topic: 'u', partition: 0, replicas: [5, 1], addingReplicas: [5], removingReplicas: [1] },
    ];
    expect(movesOf(ongoing, [{ topic: 't', partition: 0, replicas: [3] }], new Map([['t-0', [2, 1]]]))).toEqual([
      { topic: 't', partition: 0, sources: [1], destinations: [3] },
      { topic: 'u', partition: 0, sources: [1], destinations: [5] },
    ]);
  });
});

describe('lines', () => {
  test('the file on one line, in order', () => {
    const partitions = [
      { topic: 'b', partition: 0, replicas: [1] },
      { topic: 'a', partition: 10, replicas: [1, 2] },
      { topic: 'a', partition: 2, replicas: [2] },
    ];
    expect(reassignmentJson(partitions)).toBe(
      '{"version":1,"partitions":[{"topic":"a","partition":2,"replicas":[2],"log_dirs":["any"]},' +
        '{"topic":"a","partition":10,"replicas":[1,2],"log_dirs":["any","any"]},' +
        '{"topic":"b","partition":0,"replicas":[1],"log_dirs":["any"]}]}',
    );
    expect(partitionNames(partitions)).toBe('a-2,a-10,b-0');
  });

  test('how far a partition is', () => {
    const at = { topic: 't', partition: 0, target: [2, 3] };
    expect(reassignmentStateLine({ ...at, current: [2, 3, 1], isOver: false })).toBe(
      'Reassignment of partition t-0 is still in progress.',
    );
    expect(reassignmentStateLine({ ...at, current: [2, 3], isOver: true })).toBe(
      'Reassignment of partition t-0 is completed.',
    );
    expect(reassignmentStateLine({ ...at, current: [1, 2], isOver: true })).toBe(
      'There is no active reassignment of partition t-0, but replica set is 1,2 rather than 2,3.',
    );
  });

  test('how far a log is', () => {
    const at = { topic: 't', partition: 0, broker: 1, target: '/b' };
    const line = (current: string | null, future: string | null) => logDirStateLine({ ...at, current, future });
    expect(line('/b', null)).toBe('Reassignment of replica t-0-1 completed successfully.');
    expect(line('/a', '/b')).toBe('Reassignment of replica t-0-1 is still in progress.');
    expect(line('/a', '/c')).toContain('is being moved to log dir /c instead of /b.');
    expect(line('/a', null)).toContain('is not being moved from log dir /a to /b.');
    expect(line(null, null)).toContain('in no live log directory of broker 1');
  });

  test('what is under way', () => {
    expect(ongoingLines([])).toEqual(['No partition reassignments found.']);
    const move = { topic: 'orders', partition: 0, replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] };
    expect(ongoingLines([move, { ...move, partition: 1, removingReplicas: [] }])).toEqual([
      'Current partition reassignments:',
      'orders-0: replicas: 1,2,3. adding: 3. removing: 1.',
      'orders-1: replicas: 1,2,3. adding: 3.',
    ]);
  });
});
