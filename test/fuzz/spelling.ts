import { defaultOf, isDefault, isPresent, type Field, type Fields } from '../../shared/protocol/schema.ts';

/** What a piece of a message is to the grammar, which decides how it can be wrong. */
export type Role = 'number' | 'length' | 'compactLength' | 'tag' | 'content';

/** A message in pieces: what mutations take hold of. */
export interface Piece {
  readonly role: Role;
  readonly bytes: Buffer;
}

type Struct = Readonly<Record<string, unknown>>;

/**
 * A struct as the pieces of its binary form. Written apart from the codec (which knows no wrong values, and whose work
 * cannot be cut into pieces): both must agree, which a unit test sees to.
 */
export function spell(fields: Fields, value: Struct, version: number, isFlexible: boolean): Piece[] {
  const pieces: Piece[] = [];
  spellStruct(pieces, fields, value, version, isFlexible);
  return pieces;
}

function spellStruct(to: Piece[], fields: Fields, value: Struct, version: number, isFlexible: boolean): void {
  const tagged: [number, Piece[]][] = [];
  for (const [name, f] of Object.entries(fields)) {
    if (!isPresent(f, version)) continue;
    const member = value[name] === undefined ? defaultOf(f) : value[name];
    if (f.tag === null) spellField(to, f, member, version, isFlexible);
    else if (!isDefault(f, member)) tagged.push([f.tag, spelled(f, member, version)]);
  }
  if (!isFlexible) return;
  to.push({ role: 'compactLength', bytes: uvarint(tagged.length) });
  for (const [tag, content] of tagged.sort(([a], [b]) => a - b)) {
    const size = content.reduce((sum, { bytes }) => sum + bytes.length, 0);
    to.push({ role: 'tag', bytes: uvarint(tag) }, { role: 'compactLength', bytes: uvarint(size) }, ...content);
  }
}

function spelled(f: Field, value: unknown, version: number): Piece[] {
  const pieces: Piece[] = [];
  spellField(pieces, f, value, version, true);
  return pieces;
}

function spellField(to: Piece[], f: Field, value: unknown, version: number, isFlexible: boolean): void {
  switch (f.kind) {
    case 'struct':
      if (version >= f.nullable) to.push(number(1, value === null ? -1 : 1));
      if (value !== null) spellStruct(to, f.fields!, value as Struct, version, isFlexible);
      return;
    case 'array': {
      const elements = value as readonly unknown[] | null;
      to.push(length(elements === null ? -1 : elements.length, 4, isFlexible));
      for (const element of elements ?? []) spellField(to, f.element!, element, version, isFlexible);
      return;
    }
    case 'string':
    case 'bytes':
    case 'records': {
      const content = value === null ? null : Buffer.from(value as Buffer);
      to.push(length(content === null ? -1 : content.length, f.kind === 'string' ? 2 : 4, isFlexible));
      if (content !== null && content.length > 0) to.push({ role: 'content', bytes: content });
      return;
    }
    case 'uuid':
      to.push({ role: 'content', bytes: Buffer.from(value as string, 'base64url') });
      return;
    default:
      to.push(scalar(f.kind, value));
  }
}

const SIZES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  exact64: 8,
};

function scalar(kind: string, value: unknown): Piece {
  if (kind !== 'float64') return number(SIZES[kind]!, BigInt(value as number | bigint | boolean));
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value as number);
  return { role: 'number', bytes };
}

/** A big-endian integer of so many bytes, wrapped to them. */
export function number(size: number, value: number | bigint): Piece {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
  return { role: 'number', bytes: bytes.subarray(8 - size) };
}

/** The length before a string, bytes or an array; −1 stands for null. */
export function length(count: number, size: number, isFlexible: boolean): Piece {
  if (isFlexible) return { role: 'compactLength', bytes: uvarint(count + 1) };
  return { role: 'length', bytes: number(size, count).bytes };
}

/** An unsigned varint: seven bits a byte, the lowest first. */
export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
