/** The part of JSON Schema (2020-12, as OpenAPI 3.1 has it) that the tables here are written in. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Of what is in no `properties`. */
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly (string | null)[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
}

type TypeName = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'null';

/** An object whose fields are all required, in the order given. */
export function struct(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { type: 'object', properties, required: Object.keys(properties).filter(name => !optional.includes(name)) };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * What is wrong with a value, as one sentence that names the field and what is allowed; null when nothing is. Knows the
 * keywords that request bodies are described with: type, properties, required, additionalProperties, items, enum, and
 * the limits of numbers, strings and lists.
 * @param name of the value in the sentence
 */
export function problemOf(schema: Schema, value: unknown, name: string): string | null {
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some(type => isOf(type, value))) return `${name} must be ${listed(types)}.`;
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return `${name} must be ${schema.enum.filter(choice => choice !== null).join(', ')}.`;
  }
  if (typeof value === 'number') return rangeProblem(schema, value, name);
  if (typeof value === 'string') return lengthProblem(schema, value, name);
  if (Array.isArray(value)) return listProblem(schema, value, name);
  return typeof value === 'object' && value !== null ? objectProblem(schema, value, name) : null;
}

function isOf(type: TypeName, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    default:
      return typeof value === type;
  }
}

const TYPE_WORDS: Readonly<Record<TypeName, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function listed(types: readonly TypeName[]): string {
  return types.map(type => TYPE_WORDS[type]).join(' or ');
}

function rangeProblem({ minimum = -Infinity, maximum = Infinity }: Schema, value: number, name: string): string | null {
  if (value >= minimum && value <= maximum) return null;
  return maximum === Infinity
    ? `${name} must be at least ${minimum}.`
    : `${name} must be from ${minimum} to ${maximum}.`;
}

function lengthProblem({ minLength = 0, maxLength = Infinity }: Schema, value: string, name: string): string | null {
  if (value.length >= minLength && value.length <= maxLength) return null;
  return maxLength === Infinity
    ? `${name} must not be empty.`
    : `${name} must have from ${minLength} to ${maxLength} characters.`;
}

function listProblem(schema: Schema, values: readonly unknown[], name: string): string | null {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  if (values.length < minItems || values.length > maxItems) {
    return `${name} must have ${maxItems === Infinity ? `at least ${minItems}` : `from ${minItems} to ${maxItems}`} entries.`;
  }
  if (items === undefined) return null;
  return firstProblem(values, (value, index) => problemOf(items, value, `${name}[${index}]`));
}

function objectProblem(schema: Schema, value: object, name: string): string | null {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const missing = required.find(field => !(field in value));
  if (missing !== undefined) return `${name} lacks ${missing}.`;
  return firstProblem(Object.entries(value), ([field, inner]) => {
    const known = Object.hasOwn(properties, field) ? properties[field] : undefined;
    const inside = known ?? additionalProperties;
    if (inside === true) return null;
    if (inside !== false) return problemOf(inside, inner, name === 'The body' ? field : `${name}.${field}`);
    return `${name} has no field ${field}; it has ${Object.keys(properties).join(', ')}.`;
  });
}

function firstProblem<T>(items: readonly T[], problem: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of items.entries()) {
    const found = problem(item, index);
    if (found !== null) return found;
  }
  return null;
}
