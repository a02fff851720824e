import type { Team } from './team.ts';
import type { Tellers } from './tellers.ts';
import type { Workload } from './workload.ts';
import type { World } from './world.ts';

/** The cluster, and who uses it. */
export interface Cast {
  readonly world: World;
  readonly workload: Workload;
  readonly team: Team;
  readonly tellers: Tellers;
}
