import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameError, FrameReader, type FrameSink } from '../../../../shared/connection/frame-reader.ts';
import { runs } from '../../../support/property-runs.ts';

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

function sink(overrides: Partial<FrameSink> & { frames: Buffer[] }): FrameSink {
  return {
    peekBytes: 2,
    refuse: size => (size < 2 || size > 1 << 20 ? `size ${size}` : null),
    allocate: size => Buffer.alloc(size),
    onFrame: frame => (overrides.frames.push(frame), true),
    ...overrides,
  };
}

/** Feeds the stream as a socket would: into the reader's own targets, at most `reads[i]` bytes a time. */
function pump(reader: FrameReader, stream: Buffer, reads: readonly number[], onStop: () => void): void {
  for (let at = 0, i = 0; at < stream.length; i++) {
    const target = reader.target();
    const count = Math.min(reads[i % reads.length]!, target.length, stream.length - at);
    stream.copy(target, 0, at, at + count);
    at += count;
    if (!reader.consume(target, count)) onStop();
  }
}

const bodies = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 2, maxLength: 40 }),
    fc.integer({ min: 10_000, max: 200_000 }).map(size => new Uint8Array(size).fill(size)),
  ),
  { maxLength: 12 },
);
const reads = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 100, max: 100_000 })), {
  minLength: 1,
});

describe('FrameReader', () => {
  test('any cut of the stream gives the same frames', () => {
    fc.assert(
      fc.property(bodies, reads, fc.boolean(), (list, sizes, ownMemory) => {
        const frames: Buffer[] = [];
        const reader = new FrameReader(sink({ frames }));
        const stream = Buffer.concat(list.map(body => framed(Buffer.from(body))));
        if (ownMemory) {
          pump(reader, stream, sizes, () => expect.unreachable());
        } else {
          for (let at = 0, i = 0; at < stream.length; at += sizes[i % sizes.length]!, i++) {
            const chunk = stream.subarray(at, at + sizes[i % sizes.length]!);
            expect(reader.consume(chunk, chunk.length)).toBe(true);
          }
        }
        expect(frames.length).toBe(list.length);
        expect(frames.every((frame, i) => frame.equals(list[i]!))).toBe(true);
        expect(reader.midFrame).toBe(false);
      }),
      runs(200),
    );
  });

  test('it may be stopped after any frame, and be short of memory before any', () => {
    fc.assert(
      fc.property(bodies, reads, fc.infiniteStream(fc.boolean()), (list, sizes, chance) => {
        const frames: Buffer[] = [];
        const say = () => chance.next().value as boolean;
        const reader = new FrameReader(
          sink({
            frames,
            allocate: size => (say() ? Buffer.alloc(size) : null),
            onFrame: frame => (frames.push(frame), say()),
          }),
        );
        const stream = Buffer.concat(list.map(body => framed(Buffer.from(body))));
        pump(reader, stream, sizes, () => {
          for (let tries = 0; !reader.resume(); tries++) expect(tries).toBeLessThan(10_000);
          expect(reader.hasLeftover).toBe(false);
        });
        expect(frames.length).toBe(list.length);
        expect(frames.every((frame, i) => frame.equals(list[i]!))).toBe(true);
      }),
      runs(200),
    );
  });

  test('a large frame is read straight into its memory', () => {
    const frames: Buffer[] = [];
    const memory = Buffer.alloc(100_000);
    const reader = new FrameReader(sink({ frames, allocate: () => memory }));
    const body = Buffer.alloc(100_000, 3);
    const start = framed(body).subarray(0, 10);
    reader.consume(start, start.length);
    const target = reader.target();
    expect(target.buffer).toBe(memory.buffer);
    expect(target.length).toBe(100_000 - 6);
    body.copy(target, 0, 6);
    expect(reader.consume(target, target.length)).toBe(true);
    expect(frames[0]).toBe(memory);
    expect(memory.equals(body)).toBe(true);
  });

  test('the first bytes are shown before memory is given', () => {
    const seen: string[] = [];
    const frames: Buffer[] = [];
    const reader = new FrameReader(
      sink({ frames, allocate: (size, peeked) => (seen.push(peeked.toString()), Buffer.alloc(size)) }),
    );
    for (const byte of framed(Buffer.from('hello'))) reader.consume(Buffer.from([byte]), 1);
    expect(seen).toEqual(['he']);
    expect(frames.map(String)).toEqual(['hello']);
  });

  test('a size is refused as soon as it is there, before any memory is taken', () => {
    let allocated = 0;
    const reader = new FrameReader(sink({ frames: [], allocate: size => (allocated++, Buffer.alloc(size)) }));
    const size = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
    expect(reader.consume(size, 3)).toBe(true);
    expect(() => reader.consume(size.subarray(3), 1)).toThrow(FrameError);
    expect(allocated).toBe(0);
  });

  test('what is left after a stop does not depend on the buffer it came in', () => {
    const frames: Buffer[] = [];
    const reader = new FrameReader(sink({ frames, onFrame: frame => (frames.push(frame), false) }));
    const chunk = Buffer.concat(['aa', 'bb', 'cc'].map(text => framed(Buffer.from(text))));
    expect(reader.consume(chunk, chunk.length)).toBe(false);
    chunk.fill(0xff);
    while (!reader.resume());
    expect(frames.map(String)).toEqual(['aa', 'bb', 'cc']);
  });
});
