/** Bytes that are not DER (X.690), or not the structure that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: its identifier octet, and what is in it. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
}

export const SEQUENCE = 0x30;
export const OCTET_STRING = 0x04;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
const CONSTRUCTED = 0x20;
/** Deeper nesting of elements without a length is no key store. */
const MAX_DEPTH = 32;

interface Element {
  readonly node: DerNode;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * Reads the first element. Lengths are checked against what is there; BER's elements without a length, as some
 * libraries write them, are read too.
 * @throws DerError
 */
export function readDer(bytes: Buffer): DerNode {
  return elementAt(bytes, 0, 0).node;
}

/** The elements within one. @throws DerError, also when `node` is missing or has another tag than `tag` */
export function children(node: DerNode | undefined, tag = SEQUENCE): DerNode[] {
  if (node?.tag !== tag) throw new DerError('an element is missing or of another kind than expected');
  const nodes: DerNode[] = [];
  for (let at = 0; at < node.content.length;) {
    const { node: child, end } = elementAt(node.content, at, 0);
    nodes.push(child);
    at = end;
  }
  return nodes;
}

/** The one element within a context tag, `[number] EXPLICIT`. @throws DerError */
export function explicit(node: DerNode | undefined, number: number): DerNode {
  const [inner] = children(node, 0xa0 | number);
  if (inner === undefined) throw new DerError(`the element [${number}] is missing`);
  return inner;
}

/** The bytes of an octet string, also of one in pieces. @throws DerError */
export function octets(node: DerNode | undefined, tag = OCTET_STRING): Buffer {
  if (node?.tag === tag) return node.content;
  if (node?.tag === (tag | CONSTRUCTED)) {
    return Buffer.concat(children(node, node.tag).map(piece => octets(piece)));
  }
  throw new DerError('an octet string is missing');
}

/** A small integer. @throws DerError for a negative one or one beyond 2^31−1 */
export function integer(node: DerNode | undefined): number {
  const content = node?.tag === INTEGER ? node.content : null;
  if (content === null || content.length < 1 || content.length > 4 || content[0]! > 0x7f) {
    throw new DerError('a number is missing or out of range');
  }
  return content.readUIntBE(0, content.length);
}

/** An object identifier in dots. @throws DerError */
export function objectIdentifier(node: DerNode | undefined): string {
  if (node?.tag !== OBJECT_IDENTIFIER || node.content.length === 0) throw new DerError('an identifier is missing');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of node.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte > 0x7f) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

function elementAt(bytes: Buffer, at: number, depth: number): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('the data ends too early');
  if ((tag & 0x1f) === 0x1f || depth > MAX_DEPTH) throw new DerError('the data is not DER');
  if (first === 0x80) return unboundedAt(bytes, at, depth);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const from = at + 2 + lengthBytes;
  if (lengthBytes > 4 || from > bytes.length) throw new DerError('a length is not DER');
  const end = from + (lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes));
  if (end > bytes.length) throw new DerError('the data ends too early');
  return { node: { tag, content: bytes.subarray(from, end) }, end };
}

/** An element that ends with two zero bytes after its last child. */
function unboundedAt(bytes: Buffer, at: number, depth: number): Element {
  const tag = bytes[at]!;
  if ((tag & CONSTRUCTED) === 0) throw new DerError('a length is not DER');
  let end = at + 2;
  while (bytes[end] !== 0 || bytes[end + 1] !== 0) end = elementAt(bytes, end, depth + 1).end;
  return { node: { tag, content: bytes.subarray(at + 2, end) }, end: end + 2 };
}
