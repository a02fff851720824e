/** What a group is doing (Kafka: `GroupState`); the names are those on the wire. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/**
 * From which states each one may be entered:
 *
 *     Empty ──→ PreparingRebalance ──→ CompletingRebalance ──→ Stable        every one ──→ Dead
 *       ↑              │  ↑    ↑                │                 │
 *       └──────────────┘  │    └────────────────┘                 │
 *                         └───────────────────────────────────────┘
 */
const PREDECESSORS: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
};

export function mayFollow(state: GroupState, next: GroupState): boolean {
  return PREDECESSORS[next].includes(state);
}
