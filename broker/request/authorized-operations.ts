/** What somebody may be allowed to do, with Kafka's codes (`AclOperation`). */
const CODES = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const;

export type Operation = keyof typeof CODES;

/** "Not asked for": the least int32. */
const OMITTED = -2147483648;

/**
 * The operations that there are on a kind of resource (Kafka: `AclEntry.supportedOperations`). As long as there is no
 * authorizer, everybody may do all of them, and that is what who asks is told (`AuthHelper.authorizedOperations`).
 */
export const OPERATIONS = {
  topic: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  group: ['READ', 'DELETE', 'DESCRIBE'],
  cluster: [
    ...(['CREATE', 'ALTER', 'DESCRIBE', 'CLUSTER_ACTION'] as const),
    ...(['DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE'] as const),
  ],
} as const satisfies Record<string, readonly Operation[]>;

/** As responses have them: a bit for each operation's code (KIP-430). */
export function authorizedOperations(resource: keyof typeof OPERATIONS, isAskedFor: boolean): number {
  if (!isAskedFor) return OMITTED;
  return OPERATIONS[resource].reduce((bits, operation) => bits | (1 << CODES[operation]), 0);
}
