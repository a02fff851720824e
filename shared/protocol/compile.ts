import type { Reader } from './reader.ts';
import { isDefault, isPresent, type Field, type Fields } from './schema.ts';
import type { Writer } from './writer.ts';

/**
 * Turns a table into straight-line JavaScript for one version, once: no interpretation of the table on the hot path.
 *
 *   fields ──plan──▶ source text ──new Function──▶ (reader) => object, (writer, object) => void
 *
 * Only names from the tables get into the text; nothing that came over the network does.
 */

export type Decode = (reader: Reader) => unknown;
export type Encode = (writer: Writer, value: unknown) => void;

/** Collects the functions of one compilation unit, and the constants they refer to. */
class Unit {
  readonly functions: string[] = [];
  readonly constants: unknown[] = [];
  #next = 0;

  name(prefix: string): string {
    return `${prefix}${this.#next++}`;
  }

  constant(value: unknown): string {
    this.constants.push(value);
    return `C[${this.constants.length - 1}]`;
  }

  build(entry: string): unknown {
    const source = `'use strict';\n${this.functions.join('\n')}\nreturn ${entry};`;
    // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-call
    return new Function('C', 'isDefault', source)(this.constants, isDefault);
  }
}

const FIXED_SIZES: Partial<Record<Field['kind'], number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  exact64: 8,
  float64: 8,
  uuid: 16,
};

/** Least number of bytes that a value can take: bounds the length of arrays. */
function leastSize(f: Field, version: number, flexible: boolean): number {
  const fixed = FIXED_SIZES[f.kind];
  if (fixed !== undefined) return fixed;
  if (f.kind === 'struct') {
    if (version >= f.nullable) return 1;
    let total = flexible ? 1 : 0;
    for (const [, member] of onWire(f.fields!, version)) total += leastSize(member, version, flexible);
    return total;
  }
  if (flexible) return 1;
  return f.kind === 'string' ? 2 : 4;
}

/** Members in their order on the wire, tagged ones left out. */
function onWire(fields: Fields, version: number): [string, Field][] {
  return Object.entries(fields).filter(([, f]) => f.tag === null && isPresent(f, version));
}

function tagged(fields: Fields, version: number): [string, Field][] {
  return Object.entries(fields)
    .filter(([, f]) => f.tag !== null && isPresent(f, version))
    .sort(([, a], [, b]) => a.tag! - b.tag!);
}

/** Source text for the value of an absent field; arrays and structs must be fresh each time. */
function defaultSource(unit: Unit, f: Field): string {
  if (f.default === null) return 'null';
  switch (f.kind) {
    case 'array':
      return '[]';
    case 'struct':
      return `{ ${Object.entries(f.fields!)
        .map(([name, member]) => `${name}: ${defaultSource(unit, member)}`)
        .join(', ')} }`;
    case 'bytes':
      return unit.constant(f.default);
    case 'exact64':
      return `${f.default as bigint}n`;
    default:
      return JSON.stringify(f.default);
  }
}

export function compileDecoder(fields: Fields, version: number, flexible: boolean): Decode {
  const unit = new Unit();
  return unit.build(structDecoder(unit, fields, version, flexible, '')) as Decode;
}

function structDecoder(unit: Unit, fields: Fields, version: number, flexible: boolean, path: string): string {
  const name = unit.name('readStruct');
  const members = Object.entries(fields).map(([key, f]) => {
    const read = f.tag === null && isPresent(f, version);
    return `    ${key}: ${read ? readSource(unit, f, version, flexible, `${path}${key}`) : defaultSource(unit, f)},`;
  });
  const lines = [`function ${name}(r) {`, '  const o = {', ...reorder(fields, members, version), '  };'];
  if (flexible) lines.push(...tagReader(unit, fields, version, path));
  lines.push('  return o;', '}');
  unit.functions.push(lines.join('\n'));
  return name;
}

/** Object literals evaluate in order, so what is read must stand in the order of the wire: that of the table. */
function reorder(fields: Fields, members: string[], version: number): string[] {
  const absent = Object.values(fields).map(f => f.tag !== null || !isPresent(f, version));
  return [...members.filter((_, i) => !absent[i]), ...members.filter((_, i) => absent[i])];
}

function tagReader(unit: Unit, fields: Fields, version: number, path: string): string[] {
  const where = JSON.stringify(`${path}tagged fields`);
  const cases = tagged(fields, version).map(
    ([key, f]) => `      case ${f.tag}: o.${key} = ${readSource(unit, f, version, true, `${path}${key}`)}; break;`,
  );
  return [
    `  for (let n = r.uvarint(${where}); n > 0; n--) {`,
    `    const tag = r.uvarint(${where}), end = r.tagEnd(${where});`,
    '    switch (tag) {',
    ...cases,
    '      default: r.position = end;',
    '    }',
    `    if (r.position !== end) r.fail(${where}, 'tagged field ' + tag + ' has another size than it claims');`,
    '  }',
  ];
}

function readSource(unit: Unit, f: Field, version: number, flexible: boolean, path: string): string {
  const where = JSON.stringify(path);
  const nullable = version >= f.nullable;
  switch (f.kind) {
    case 'string':
      return `r.string(${flexible}, ${nullable}, ${where})`;
    case 'bytes':
    case 'records':
      return `r.bytes(${flexible}, ${nullable}, ${where})`;
    case 'array':
      return `${arrayDecoder(unit, f, version, flexible, path)}(r)`;
    case 'struct': {
      const read = `${structDecoder(unit, f.fields!, version, flexible, `${path}.`)}(r)`;
      return nullable ? `(r.present(${where}) ? ${read} : null)` : read;
    }
    default:
      return `r.${f.kind}(${where})`;
  }
}

function arrayDecoder(unit: Unit, f: Field, version: number, flexible: boolean, path: string): string {
  const name = unit.name('readArray');
  const element = f.element!;
  // At least one byte each, or a length of 2^31 would pass for elements that take none.
  const least = Math.max(1, leastSize(element, version, flexible));
  unit.functions.push(
    [
      `function ${name}(r) {`,
      `  const n = r.arrayLength(${flexible}, ${version >= f.nullable}, ${least}, ${JSON.stringify(path)});`,
      '  if (n < 0) return null;',
      '  const a = [];',
      `  for (let i = 0; i < n; i++) a.push(${readSource(unit, element, version, flexible, `${path}[]`)});`,
      '  return a;',
      '}',
    ].join('\n'),
  );
  return name;
}

export function compileEncoder(fields: Fields, version: number, flexible: boolean): Encode {
  const unit = new Unit();
  return unit.build(structEncoder(unit, fields, version, flexible, '')) as Encode;
}

function structEncoder(unit: Unit, fields: Fields, version: number, flexible: boolean, path: string): string {
  const name = unit.name('writeStruct');
  const lines = [`function ${name}(w, o) {`, '  let v;'];
  for (const [key, f] of Object.entries(fields)) {
    if (!isPresent(f, version)) {
      if (!f.ignorable) lines.push(`  ${refuseSource(unit, f, key, version, path)}`);
    } else if (f.tag === null) {
      const missing = f.optional
        ? `v = ${defaultSource(unit, f)}`
        : `w.fail(${JSON.stringify(path + key)}, 'is missing')`;
      lines.push(`  v = o.${key}; if (v === undefined) ${missing};`);
      lines.push(`  ${writeSource(unit, f, version, flexible, `${path}${key}`)}`);
    }
  }
  if (flexible) lines.push(...tagWriter(unit, fields, version, path));
  lines.push('}');
  unit.functions.push(lines.join('\n'));
  return name;
}

/** A value that the version cannot carry, and that may not be lost silently. */
function refuseSource(unit: Unit, f: Field, key: string, version: number, path: string): string {
  const reason = JSON.stringify(`cannot be sent in version ${version}`);
  return `v = o.${key}; if (${differsSource(unit, f)}) w.fail(${JSON.stringify(`${path}${key}`)}, ${reason});`;
}

/** Condition that the value in `v` is given and not the default. */
function differsSource(unit: Unit, f: Field): string {
  const given = 'v !== undefined && ';
  if (f.kind === 'array' || f.kind === 'bytes' || f.kind === 'struct')
    return `${given}!isDefault(${unit.constant(f)}, v)`;
  return `${given}v !== ${defaultSource(unit, f)}`;
}

function tagWriter(unit: Unit, fields: Fields, version: number, path: string): string[] {
  const present = tagged(fields, version);
  if (present.length === 0) return ['  w.uvarint(0);'];
  const conditions = present.map(([key, f]) => `  v = o.${key}; const t${f.tag} = ${differsSource(unit, f)};`);
  const writes = present.map(
    ([key, f]) =>
      `  if (t${f.tag}) w.tagged(${f.tag}, w => { let v = o.${key}; ${writeSource(unit, f, version, true, `${path}${key}`)} });`,
  );
  const count = present.map(([, f]) => `(t${f.tag} ? 1 : 0)`).join(' + ');
  return [...conditions, `  w.uvarint(${count});`, ...writes];
}

/** Source text that writes the value in `v`. */
function writeSource(unit: Unit, f: Field, version: number, flexible: boolean, path: string): string {
  const where = JSON.stringify(path);
  const refuse = `w.fail(${where}, 'is null, which version ${version} does not allow');`;
  const nullable = version >= f.nullable;
  switch (f.kind) {
    case 'string':
      return `if (v === null) { ${nullable ? `w.nullString(${flexible});` : refuse} } else w.string(v, ${flexible}, ${where});`;
    case 'bytes':
    case 'records':
      return `if (v === null) { ${nullable ? `w.length(-1, ${flexible});` : refuse} } else w.${f.kind}(v, ${flexible});`;
    case 'array': {
      const write = `${arrayEncoder(unit, f, version, flexible, path)}(w, v);`;
      return `if (v === null) { ${nullable ? `w.length(-1, ${flexible});` : refuse} } else ${write}`;
    }
    case 'struct': {
      const write = `${structEncoder(unit, f.fields!, version, flexible, `${path}.`)}(w, v);`;
      if (!nullable) return `if (v === null) ${refuse} ${write}`;
      return `if (v === null) w.int8(-1, ${where}); else { w.int8(1, ${where}); ${write} }`;
    }
    default:
      return `w.${f.kind}(v, ${where});`;
  }
}

function arrayEncoder(unit: Unit, f: Field, version: number, flexible: boolean, path: string): string {
  const name = unit.name('writeArray');
  unit.functions.push(
    [
      `function ${name}(w, a) {`,
      `  w.length(a.length, ${flexible});`,
      '  for (let i = 0; i < a.length; i++) {',
      '    const v = a[i];',
      `    ${writeSource(unit, f.element!, version, flexible, `${path}[]`)}`,
      '  }',
      '}',
    ].join('\n'),
  );
  return name;
}
