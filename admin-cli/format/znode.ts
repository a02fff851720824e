import type { ACL, Stat } from 'node-zookeeper-client';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A Stat as ZooKeeper's own command line shows it; times in UTC. */
export function statLines(stat: Stat): string[] {
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${time(stat.ctime)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${time(stat.mtime)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${hex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

function hex(bytes: Buffer): string {
  return `0x${bytes.readBigUInt64BE().toString(16)}`;
}

/** As Java's `Date.toString`. */
function time(bytes: Buffer): string {
  const date = new Date(Number(bytes.readBigInt64BE()));
  const two = (number: number) => String(number).padStart(2, '0');
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${DAYS[date.getUTCDay()]!} ${MONTHS[date.getUTCMonth()]!} ${two(date.getUTCDate())} ${clock} UTC ${date.getUTCFullYear()}`;
}

/** Letters in the order in which ZooKeeper shows them, by permission bit. */
const PERMISSIONS: readonly (readonly [bit: number, letter: string])[] = [
  [4, 'c'],
  [8, 'd'],
  [1, 'r'],
  [2, 'w'],
  [16, 'a'],
];

/** The library calls the bits `permission`, its types call them `perms`. */
type AclBits = ACL & { readonly permission?: number };

export function aclLines(acls: readonly ACL[]): string[] {
  return acls.flatMap(acl => {
    const bits = (acl as AclBits).permission ?? acl.perms;
    const letters = PERMISSIONS.filter(([bit]) => (bits & bit) !== 0).map(([, letter]) => letter);
    return [`'${acl.id.scheme},'${acl.id.id}`, `: ${letters.join('')}`];
  });
}
