import { UsageError } from '../support/tool.ts';

const ACTIONS = ['generate', 'execute', 'verify', 'cancel', 'list'] as const;
export type ReassignAction = (typeof ACTIONS)[number];

export interface ReassignOptions extends Partial<Record<ReassignAction, true>> {
  bootstrapServer?: string;
  commandConfig?: string;
  reassignmentJsonFile?: string;
  topicsToMoveJsonFile?: string;
  brokerList?: string;
  disableRackAware?: true;
  throttle?: number;
  replicaAlterLogDirsThrottle?: number;
  timeout?: number;
  additional?: true;
  preserveThrottles?: true;
}

type Argument = Exclude<keyof ReassignOptions, ReassignAction | 'bootstrapServer' | 'commandConfig'>;

const NAMES: Readonly<Record<Argument, string>> = {
  reassignmentJsonFile: 'reassignment-json-file',
  topicsToMoveJsonFile: 'topics-to-move-json-file',
  brokerList: 'broker-list',
  disableRackAware: 'disable-rack-aware',
  throttle: 'throttle',
  replicaAlterLogDirsThrottle: 'replica-alter-log-dirs-throttle',
  timeout: 'timeout',
  additional: 'additional',
  preserveThrottles: 'preserve-throttles',
};

/** What each action needs, and what else it takes. */
const ARGUMENTS: Readonly<
  Record<ReassignAction, { readonly required: readonly Argument[]; readonly optional: readonly Argument[] }>
> = {
  generate: { required: ['topicsToMoveJsonFile', 'brokerList'], optional: ['disableRackAware'] },
  execute: {
    required: ['reassignmentJsonFile'],
    optional: ['additional', 'throttle', 'replicaAlterLogDirsThrottle', 'timeout'],
  },
  verify: { required: ['reassignmentJsonFile'], optional: ['preserveThrottles'] },
  cancel: { required: ['reassignmentJsonFile'], optional: ['preserveThrottles', 'timeout'] },
  list: { required: [], optional: [] },
};

/** The one action that was chosen, with all that it needs and nothing that it does not take. @throws UsageError */
export function chosenAction(options: ReassignOptions): ReassignAction {
  const chosen = ACTIONS.filter(action => options[action]);
  const [action] = chosen;
  if (action === undefined || chosen.length > 1) {
    throw new UsageError(`Command must include exactly one action: ${ACTIONS.map(name => `--${name}`).join(', ')}`);
  }
  if (options.bootstrapServer === undefined) throw new UsageError('Please specify --bootstrap-server');
  const { required, optional } = ARGUMENTS[action];
  for (const argument of required) {
    if (options[argument] === undefined) throw new UsageError(`Missing required argument "[${NAMES[argument]}]"`);
  }
  for (const argument of Object.keys(NAMES) as Argument[]) {
    if (options[argument] === undefined || required.includes(argument) || optional.includes(argument)) continue;
    throw new UsageError(`Option "[${NAMES[argument]}]" can't be used with action "[${action}]"`);
  }
  return action;
}
