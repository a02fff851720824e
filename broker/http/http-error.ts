import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../shared/runtime/logger.ts';

/** A request is refused: the status, and one sentence for the person who reads the answer. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly statusCode: number;
  /** The number that people know for it, where the status alone does not say. */
  readonly errorCode: number | null;

  constructor(statusCode: number, message: string, errorCode: number | null = null) {
    super(message);
    this.statusCode = statusCode;
    this.errorCode = errorCode;
  }
}

/** The form of every error body. */
export interface ErrorBody {
  readonly error_code: number;
  readonly message: string;
  /** Kafka's name, of one of Kafka's errors: ILLEGAL_GENERATION. */
  readonly error?: string;
}

/** Makes the answer for anything that a route throws. What is not a refusal is a bug: it is logged, and not shown. */
export function errorHandler(logger: Logger) {
  return (error: FastifyError | HttpError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const status = error.statusCode ?? 500;
    if (status >= 500 && !(error instanceof HttpError)) {
      logger.error({ err: error, method: request.method, url: request.url }, 'a request failed unexpectedly');
      return reply.code(500).send(errorBody(500, 'The broker failed to handle the request; its log says why.'));
    }
    return reply.code(status).send(errorBody(status, error.message));
  };
}

export function errorBody(errorCode: number, message: string): ErrorBody {
  return { error_code: errorCode, message };
}
