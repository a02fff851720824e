import { PipelinedRequest, RequestPipeline } from '../../broker/network/request-pipeline.ts';
import type { RequestMemory } from '../../broker/network/request-memory.ts';
import type { ConnectionContext } from '../../broker/request/context.ts';
import { CloseConnection, type Dispatcher } from '../../broker/request/handler.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';

export interface IncomingRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly body: Buffer;
  /** Takes the encoded answer; undefined where there is none. */
  readonly answer: (response: Buffer | undefined) => void;
}

export interface ServerEndParts {
  readonly dispatcher: Dispatcher;
  readonly memory: RequestMemory;
  readonly context: Omit<ConnectionContext, 'closed'>;
  /** Resolves when requests may be processed. */
  readonly processing: Promise<void>;
  /** The broker ends the connection. */
  onEnd(): void;
  /** Something was thrown that no request should be able to cause. */
  onBug(error: unknown): void;
}

/** A broker's side of a simulated connection: requests start and are answered in the order of the broker's own pipeline. */
export class ServerEnd {
  readonly #parts: ServerEndParts;
  readonly #abort = new AbortController();
  readonly #context: ConnectionContext;
  readonly #pipeline = new RequestPipeline();
  readonly #answers = new Map<PipelinedRequest, { incoming: IncomingRequest; response: Buffer | undefined }>();
  #waiting: IncomingRequest[] = [];
  #isProcessing = false;

  constructor(parts: ServerEndParts) {
    this.#parts = parts;
    this.#context = { ...parts.context, closed: this.#abort.signal };
    void parts.processing.then(() => {
      this.#isProcessing = true;
      this.#startNext();
    });
  }

  receive(request: IncomingRequest): void {
    this.#waiting.push(request);
    this.#startNext();
  }

  close(): void {
    this.#waiting = [];
    this.#pipeline.abandon();
    this.#abort.abort(new Error('the connection was closed'));
  }

  #startNext(): void {
    while (this.#isProcessing && !this.#abort.signal.aborted && this.#waiting.length > 0) {
      const incoming = this.#waiting[0]!;
      if (!this.#pipeline.mayStart(incoming.apiKey)) return;
      this.#waiting.shift();
      this.#start(incoming);
    }
  }

  #start(incoming: IncomingRequest): void {
    const lease = { bytes: incoming.body, release: () => {} };
    const header = { ...incoming, correlationId: 0 };
    const request = new PipelinedRequest(header, this.#context, lease, this.#parts.memory, 0, () => this.#startNext());
    this.#pipeline.add(request);
    this.#answers.set(request, { incoming, response: undefined });
    void this.#handle(incoming.body, request);
  }

  async #handle(body: Buffer, request: PipelinedRequest): Promise<void> {
    try {
      const answer = await this.#parts.dispatcher.dispatch(body, request);
      // A copy: what the answer consists of may be used again once it is written.
      this.#answers.get(request)!.response = answer && Buffer.concat(answer);
    } catch (error) {
      if (!(error instanceof CloseConnection) && !(error instanceof ProtocolError)) this.#parts.onBug(error);
      request.endsConnection = true;
    }
    // As in the broker, the request's memory is somebody else's from here on.
    body.fill(0x5a);
    request.release();
    request.state = 'answered';
    if (!this.#abort.signal.aborted) this.#sendAnswered();
  }

  #sendAnswered(): void {
    for (const request of this.#pipeline.takeAnswered()) {
      const { incoming, response } = this.#answers.get(request)!;
      this.#answers.delete(request);
      if (request.endsConnection) {
        this.#parts.onEnd();
        return;
      }
      incoming.answer(response);
    }
    this.#startNext();
  }
}
