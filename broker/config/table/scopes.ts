/** Options that many rows share; see `RowOptions` in shared/config/table.ts. */
export const notYet = { status: 'notYet' } as const;
export const perBroker = { dynamic: 'per-broker' } as const;
export const clusterWide = { dynamic: 'cluster-wide' } as const;
