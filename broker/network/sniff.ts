/** What a connection's first bytes say about it. */
export type SniffedDialect = 'kafka' | 'http1' | 'http2';

/** Bytes that tell the dialects apart. */
export const SNIFFED_BYTES = 4;

const HTTP2_PREFACE_START = 0x50524920; // 'PRI '
/** Frame sizes are below 1 GiB, whatever the configuration; every HTTP method read as an int32 is above. */
const SMALLEST_HTTP_OPENING = 0x40000000;

/**
 * Tells the dialect by the first four bytes: HTTP/2's preface (RFC 9113 §3.4), an HTTP/1.1 method, or the size of a
 * Kafka frame. Negative sizes are Kafka's too, where the frame reader refuses them.
 * @param first at least SNIFFED_BYTES bytes
 */
export function sniffDialect(first: Buffer): SniffedDialect {
  const opening = first.readInt32BE(0);
  if (opening === HTTP2_PREFACE_START) return 'http2';
  return opening >= SMALLEST_HTTP_OPENING ? 'http1' : 'kafka';
}
