import type { ServerResponse } from 'node:http';
import type { Clock, Timers } from '../../../../shared/runtime/clock.ts';
import type { Logger } from '../../../../shared/runtime/logger.ts';
import { HttpError } from '../../http-error.ts';
import type { RestClients } from '../clients.ts';
import { restError } from '../rest-errors.ts';
import { StreamMember, type Piece } from './stream-member.ts';
import type { StreamOptions } from './stream-options.ts';
import { StreamOutput, type StreamForm } from './stream-output.ts';

/** Each may hold max_bytes of every broker, and connections to all of them. */
const MAX_STREAMS = 256;
/** A group that others keep waiting takes longer: the answer then begins before the membership does. */
const JOIN_PATIENCE_MS = 30_000;
/** How often a quiet stream says something, so that proxies keep it open and a reader who has vanished is noticed. */
const HEARTBEAT_MS = 15_000;

export interface StreamsParts {
  readonly clients: RestClients;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** The streams that are members of groups, at this broker. */
export class GroupStreams {
  readonly #parts: StreamsParts;
  readonly #members = new Set<StreamMember>();
  #ended: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#members.size;
  }

  /**
   * Serves one stream until its reader leaves, its limit is reached or the broker ends.
   * @param onBegin is called before the answer begins: until then this may throw, afterwards the stream tells errors itself
   * @throws HttpError 503 when there are too many; KafkaError when the group takes no such member
   */
  async serve(options: StreamOptions, form: StreamForm, response: ServerResponse, onBegin: () => void): Promise<void> {
    if (this.#isClosed || this.#members.size >= MAX_STREAMS) throw tooMany(this.#isClosed);
    const member = new StreamMember(this.#parts.clients.member(options), options, this.#parts.clock);
    this.#members.add(member);
    const output = new StreamOutput(response, () => member.stop());
    try {
      const first = await member.join(JOIN_PATIENCE_MS);
      onBegin();
      output.begin(form.contentType);
      await this.#pump(member, first, options, form, output);
    } finally {
      await member.leave().catch((error: unknown) => this.#parts.logger.warn({ err: error }, 'a stream left badly'));
      output.end();
      this.#members.delete(member);
      if (this.#members.size === 0) this.#ended?.();
    }
  }

  /** Writes pieces until the end; what goes wrong is an event, too. */
  async #pump(
    member: StreamMember,
    first: Piece,
    options: StreamOptions,
    form: StreamForm,
    output: StreamOutput,
  ): Promise<void> {
    try {
      for (let piece = first; ; piece = await member.next(HEARTBEAT_MS)) {
        const isDelivered = !member.isStopped && (await output.write(textOf(piece, options, form)));
        if (!isDelivered) member.undo(piece.records);
        if (!isDelivered || member.isDone) break;
      }
      const reason = member.isStopped ? 'the broker is shutting down' : 'limit';
      await output.write(form.event({ event: 'end', reason }));
    } catch (error) {
      const known = restError(error);
      if (known === null) this.#parts.logger.error({ err: error }, 'a stream of a group failed unexpectedly');
      const told = known?.body ?? { error_code: 50000, message: 'The broker failed; its log says why.' };
      await output.write(form.event({ event: 'error', ...told }));
    }
  }

  /** Ends all streams: their members leave, for at most `graceMs`, and no new ones are taken. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#members.size === 0) return;
    const ended = new Promise<void>(resolve => (this.#ended = resolve));
    for (const member of this.#members) member.stop();
    const giveUp = new AbortController();
    await Promise.race([ended, this.#parts.timers.sleep(graceMs, giveUp.signal).catch(() => {})]);
    giveUp.abort(new Error('all streams have ended'));
  }
}

function textOf({ events, records }: Piece, { parseValues }: StreamOptions, form: StreamForm): string {
  if (events.length === 0 && records.length === 0) return form.event({ event: 'waiting' });
  return [...events.map(event => form.event(event)), ...records.map(record => form.record(record, parseValues))].join(
    '',
  );
}

function tooMany(isClosed: boolean): HttpError {
  const sentence = isClosed
    ? 'This broker is shutting down; another one will serve the stream.'
    : `This broker serves ${MAX_STREAMS} streams of groups already; another one may have room.`;
  return new HttpError(503, sentence, 50303);
}
