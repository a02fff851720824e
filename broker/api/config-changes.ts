import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AdminError } from '../metadata/admin-error.ts';
import { adminFailure, duplicates, SUCCESS, type AdminFailure } from './admin-errors.ts';

/** A resource whose settings a request changes. */
export interface AlteredResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface AlterResult {
  errorCode: ErrorCode;
  errorMessage: string | null;
  resourceType: number;
  resourceName: string;
}

/**
 * Changes resources one after the other, each with its own outcome. What is wrong with the request itself is told first
 * (Kafka: `ConfigAdminManager.preprocess`).
 * @param mayBeNull whether a setting may be without value
 * @param alter throws AdminError
 */
export async function alterResources<R extends AlteredResource>(
  resources: readonly R[],
  mayBeNull: (config: R['configs'][number]) => boolean,
  alter: (resource: R) => Promise<void>,
): Promise<AlterResult[]> {
  const repeated = duplicates(resources.map(keyOf));
  const results: AlterResult[] = [];
  for (const resource of resources) {
    const { code, message } = await outcome(async () => {
      if (repeated.has(keyOf(resource))) throw invalid('Each resource must appear at most once.');
      checkConfigs(resource.configs, mayBeNull);
      await alter(resource);
    });
    const { resourceType, resourceName } = resource;
    results.push({ errorCode: code, errorMessage: message, resourceType, resourceName });
  }
  return results;
}

function keyOf({ resourceType, resourceName }: AlteredResource): string {
  return `${resourceType}:${resourceName}`;
}

async function outcome(action: () => Promise<void>): Promise<AdminFailure> {
  try {
    await action();
    return SUCCESS;
  } catch (error) {
    return adminFailure(error);
  }
}

export function invalid(message: string): AdminError {
  return new AdminError(ErrorCode.INVALID_REQUEST, message);
}

function checkConfigs<C extends AlteredResource['configs'][number]>(
  configs: readonly C[],
  mayBeNull: (config: C) => boolean,
): void {
  const [repeated] = duplicates(configs.map(config => config.name));
  if (repeated !== undefined) throw invalid(`Setting ${repeated} stands in the request more than once.`);
  const nulls = configs.filter(config => config.value === null && !mayBeNull(config)).map(({ name }) => name);
  if (nulls.length > 0) throw invalid(`Null value not supported for : ${nulls.join(', ')}`);
}
