import type { Stat as LibraryStat } from 'node-zookeeper-client';
import type { Stat } from '../zookeeper.ts';

/** The library hands 64-bit numbers over as 8 bytes. */
export function toStat(stat: LibraryStat): Stat {
  return {
    czxid: stat.czxid.readBigInt64BE(),
    mzxid: stat.mzxid.readBigInt64BE(),
    ctime: Number(stat.ctime.readBigInt64BE()),
    version: stat.version,
    ephemeralOwner: stat.ephemeralOwner.readBigInt64BE(),
    numChildren: stat.numChildren,
  };
}
