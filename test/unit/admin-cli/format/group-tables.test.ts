import { describe, expect, test } from 'vitest';
import { exceptionText } from '../../../../admin-cli/format/exceptions.ts';
import {
  assignmentText,
  deletedOffsetsTable,
  listTable,
  membersTable,
  offsetsTable,
  resetTable,
  stateTable,
} from '../../../../admin-cli/format/group-tables.ts';
import { rowsOf } from '../../../../admin-cli/groups/describe.ts';
import { KafkaError } from '../../../../client/errors.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

// What Apache Kafka 3.9 prints, to the blank, but for what it forgot: ends of lines, and topics of what members are assigned.

const member = (memberId: string, partitions: number[] = [], instanceId: string | null = null) => ({
  memberId,
  instanceId,
  clientId: 'c1',
  host: '/127.0.0.1',
  assignment: partitions.map(partition => ({ topic: 'orders', partition })),
});
const committed = (partition: number, offset: number) => ({
  topic: 'orders',
  partition,
  offset,
  metadata: '',
  leaderEpoch: -1,
});

describe('offsets', () => {
  test('are in columns as wide as their values, and at least as Kafka’s', () => {
    const members = [member('c1-0123456789abcdef', [0])];
    const ends = new Map([['orders-0', 12]]);
    const rows = rowsOf({ members }, [committed(0, 10), committed(1, 4)], ends);
    expect(offsetsTable('g', rows)).toBe(
      `
GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID         HOST            CLIENT-ID
g               orders          0          10              12              2               c1-0123456789abcdef /127.0.0.1      c1
g               orders          1          4               -               -               -                   -               -
`,
    );
  });

  test('come by members, those with most partitions first, and partitions in order; free ones come last', () => {
    const members = [member('few', [3]), member('many', [10, 2, 1]), member('none')];
    const rows = rowsOf({ members }, [committed(11, 1), committed(4, 1), committed(2, 7)], new Map());
    expect(rows.map(row => [row.member?.memberId ?? null, row.partition, row.offset])).toEqual([
      ['many', 1, null],
      ['many', 2, 7],
      ['many', 10, null],
      ['few', 3, null],
      [null, 4, 1],
      [null, 11, 1],
    ]);
  });
});

describe('members', () => {
  test('with a column for instances if one has such a name', () => {
    expect(membersTable('g', [member('m1', [0, 1])], false)).toBe(
      `
GROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     
g               m1              /127.0.0.1      c1              2               
`,
    );
    expect(membersTable('g', [member('m1', [2, 10], 'i1'), member('m2')], true)).toBe(
      `
GROUP           CONSUMER-ID     GROUP-INSTANCE-ID HOST            CLIENT-ID       #PARTITIONS     ASSIGNMENT
g               m1              i1                /127.0.0.1      c1              2               orders(2,10)
g               m2                                /127.0.0.1      c1              0               -
`,
    );
  });

  test('have partitions of topics', () => {
    const assignment = ['b-1', 'a-0', 'b-0'].map(name => ({ topic: name[0]!, partition: Number(name[2]) }));
    expect(assignmentText(assignment)).toBe('a(0), b(0,1)');
  });
});

test('states', () => {
  const coordinator = { id: 3, host: 'localhost', port: 9092, rack: null };
  const group = { groupId: 'g', protocolType: 'consumer', coordinator, members: [] };
  expect(stateTable({ ...group, protocol: 'range', state: 'Stable', members: [member('m')] })).toBe(
    `
GROUP                     COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE           #MEMBERS
g                         localhost:9092  (3)       range                Stable          1
`,
  );
});

test('lists with states and types', () => {
  const groups = [
    { groupId: 'g', protocolType: 'consumer', state: 'Stable', type: 'classic' },
    { groupId: 'a-group-of-thirty-characters-xx', protocolType: '', state: 'Empty', type: '' },
  ];
  const [header, first] = listTable(groups, true, true).split('\n');
  expect(header).toBe(`${'GROUP'.padEnd(41)} ${'TYPE'.padEnd(20)} ${'STATE'.padEnd(20)}`);
  expect(first).toBe(`${'g'.padEnd(41)} ${'Classic'.padEnd(20)} ${'Stable'.padEnd(20)}`);
  expect(listTable(groups.slice(0, 1), false, true)).toBe(
    `${'GROUP'.padEnd(25)} ${'STATE'.padEnd(20)}\n${'g'.padEnd(25)} ${'Stable'.padEnd(20)}\n`,
  );
});

test('new offsets, a row each', () => {
  expect(resetTable([{ group: 'g', topic: 'orders', partition: 0, offset: 5 }])).toBe(
    `
GROUP                          TOPIC                          PARTITION  NEW-OFFSET     
g                              orders                         0          5              
`,
  );
});

test('deleted offsets', () => {
  const rows = [
    { topic: 'orders', partition: 0, error: null },
    { topic: 'lost', partition: null, error: 'no' },
  ];
  expect(deletedOffsetsTable(rows)).toBe(
    `
TOPIC                          PARTITION       STATUS         
orders                         0               Successful     
lost                           Not Provided    Error: no      
`,
  );
});

test('errors are called by the names that Java has for them, where scripts look for these', () => {
  const name = 'org.apache.kafka.common.errors.GroupNotEmptyException: The group still has members.';
  expect(exceptionText(new KafkaError(ErrorCode.NON_EMPTY_GROUP))).toBe(name);
  expect(exceptionText(new KafkaError(ErrorCode.POLICY_VIOLATION, 'no'))).toBe('POLICY_VIOLATION: no');
  expect(exceptionText(new Error('plain'))).toBe('plain');
});
