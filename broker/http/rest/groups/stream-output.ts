import type { ServerResponse } from 'node:http';
import type { ConsumerRecord } from '../../../../client/index.ts';
import { recordToJson } from '../json-record.ts';

/** What a stream says between the records: of the membership, and how it ends. */
export type StreamEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** How a stream is written down. */
export interface StreamForm {
  readonly contentType: string;
  event(event: StreamEvent): string;
  record(record: ConsumerRecord, parseValues: boolean): string;
}

/** One JSON object a line: what has a field `event` is no record. */
export const LINES: StreamForm = {
  contentType: 'application/x-ndjson',
  event: event => `${JSON.stringify(event)}\n`,
  record: (record, parseValues) => `${recordJson(record, parseValues)}\n`,
};

/** Server-sent events: records are messages, the others have their names. */
export const EVENTS: StreamForm = {
  contentType: 'text/event-stream',
  // What is said to keep the connection open is a comment.
  event: event =>
    event.event === 'waiting' ? ': waiting\n\n' : `event: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`,
  record: (record, parseValues) => `data: ${recordJson(record, parseValues)}\n\n`,
};

function recordJson(record: ConsumerRecord, parseValues: boolean): string {
  return JSON.stringify({ topic: record.topic, ...recordToJson(record, parseValues) });
}

/**
 * Writes an answer piece by piece and tells of each when the connection has taken it: over HTTP/2 as the reader's windows
 * allow, over HTTP/1.1 as its socket does. Whoever waits for that holds one piece in memory, however slow the reader is.
 */
export class StreamOutput {
  readonly #response: ServerResponse;
  #isGone = false;
  #hasBegun = false;
  readonly #gone: Promise<void>;

  /** @param onGone the reader has left, or everything has been written */
  constructor(response: ServerResponse, onGone: () => void) {
    this.#response = response;
    this.#gone = new Promise(resolve => {
      response.once('close', () => {
        this.#isGone = true;
        resolve();
        onGone();
      });
    });
    response.on('error', () => {});
  }

  begin(contentType: string): void {
    this.#hasBegun = true;
    // Proxies that collect what they pass on would keep the records.
    this.#response.writeHead(200, {
      'content-type': contentType,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }

  /** Tells whether the connection has taken it; if not, the reader has left. */
  async write(text: string): Promise<boolean> {
    if (this.#isGone) return false;
    const taken = new Promise<boolean>(resolve => {
      this.#response.write(text, error => resolve(error === null || error === undefined));
    });
    return Promise.race([taken, this.#gone.then(() => false)]);
  }

  /** What has not begun is somebody else's to answer. */
  end(): void {
    if (this.#hasBegun && !this.#isGone) this.#response.end();
  }
}
