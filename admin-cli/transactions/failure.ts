import { KafkaError } from '../../client/index.ts';
import type { ErrorCode } from '../../shared/protocol/errors.ts';
import { ToolFailure } from '../support/tool.ts';

/** What Apache's tool says where Samsa's own words would be others, by the code. */
type Words = Readonly<Partial<Record<ErrorCode, string>>>;

/** Resolves as `asked` does, or says as Apache's kafka-transactions what was being done. @throws ToolFailure */
export async function orFail<T>(doing: string, asked: Promise<T>, words: Words = {}): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const known = error instanceof KafkaError ? words[error.code] : undefined;
    throw new ToolFailure(`${doing}: ${known ?? (error as Error).message}`);
  }
}
