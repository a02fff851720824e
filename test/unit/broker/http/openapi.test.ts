/* oxlint-disable typescript/no-explicit-any -- a document as it comes over the wire */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, describe, expect, test } from 'vitest';
import { problemOf, struct, type Schema } from '../../../../broker/http/openapi/schema.ts';
import { ALL_ROUTES } from '../../../../broker/http/routes.ts';
import { stopServers } from '../network/harness.ts';
import { startHttp, stopApps } from './harness.ts';

afterEach(async () => {
  await stopApps();
  await stopServers();
});

async function getDocument() {
  const { origin } = await startHttp({ respond: () => undefined });
  const answer = await fetch(`${origin}/openapi.json`);
  expect(answer.headers.get('content-type')).toContain('application/json');
  return { origin, document: (await answer.json()) as any };
}

describe('/openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const { document } = await getDocument();
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
    // A validator that finds nothing in a broken document would agree with everything.
    document.paths['/topics'].get.responses = 'none';
    expect((await new Validator().validate(document)).valid).toBe(false);
  });

  test('tells of every path once, and every reference in it leads somewhere', async () => {
    const { document } = await getDocument();
    const told = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    );
    expect(told.sort()).toEqual(ALL_ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
    expect(told.length).toBeGreaterThan(35);
    expect(new Set(ALL_ROUTES.map(({ id }) => id)).size).toBe(ALL_ROUTES.length);
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    const names = new Set(Array.from(references, ([, name]) => name!));
    expect([...names].filter(name => !(name in document.components.schemas))).toEqual([]);
    const tags = new Set(document.tags.map(({ name }: any) => name));
    expect(ALL_ROUTES.filter(({ tag }) => !tags.has(tag))).toEqual([]);
  });

  test('examples of bodies fit their schemas', () => {
    for (const { id, body = {} } of ALL_ROUTES) {
      for (const { schema, example } of Object.values(body)) {
        if (typeof example === 'object') expect(problemOf(schema, example, id)).toBeNull();
      }
    }
  });

  test('the page for people comes with all it loads, and nothing from elsewhere', async () => {
    const { origin } = await getDocument();
    const page = await fetch(`${origin}/docs`);
    expect(page.headers.get('content-type')).toContain('text/html');
    const text = await page.text();
    expect(text).not.toMatch(/https?:/);
    const loaded = Array.from(text.matchAll(/(?:src|href)="([^"]+)"/g), ([, path]) => path!);
    const assets = loaded.filter(path => !path.startsWith('data:'));
    expect(assets).toEqual(['docs/page.css', 'docs/page.js']);
    for (const path of assets) expect((await fetch(`${origin}/${path}`)).status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('problemOf', () => {
  const schema: Schema = {
    ...struct(
      {
        name: { type: 'string', minLength: 1, maxLength: 3 },
        count: { type: ['integer', 'null'], minimum: 1, maximum: 9 },
        kind: { type: 'string', enum: ['A', 'B'] },
        list: { type: 'array', items: struct({ id: { type: 'string' } }), maxItems: 2 },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
        on: { type: 'boolean' },
      },
      ['count', 'kind', 'list', 'map', 'on'],
    ),
    additionalProperties: false,
  };

  test.each([
    [{ name: 'a' }, null],
    [{ name: 'a', count: null, kind: 'B', list: [{ id: '1', more: 1 }], map: { x: 1 }, on: true }, null],
    [null, 'The body must be an object.'],
    [[], 'The body must be an object.'],
    [{}, 'The body lacks name.'],
    [{ name: 'abcd' }, 'name must have from 1 to 3 characters.'],
    [{ name: 'a', count: 10 }, 'count must be from 1 to 9.'],
    [{ name: 'a', count: 1.5 }, 'count must be an integer or null.'],
    [{ name: 'a', kind: 'C' }, 'kind must be A, B.'],
    [{ name: 'a', list: [{ id: '1' }, { id: 2 }] }, 'list[1].id must be a string.'],
    [{ name: 'a', list: [{}] }, 'list[0] lacks id.'],
    [{ name: 'a', list: [1, 2, 3] }, 'list must have from 0 to 2 entries.'],
    [{ name: 'a', map: { x: '1' } }, 'map.x must be an integer.'],
    [{ name: 'a', on: 1 }, 'on must be true or false.'],
    [{ name: 'a', nmae: 1 }, 'The body has no field nmae; it has name, count, kind, list, map, on.'],
    [
      JSON.parse('{"name":"a","__proto__":1}'),
      'The body has no field __proto__; it has name, count, kind, list, map, on.',
    ],
  ])('%j', (value, problem) => {
    expect(problemOf(schema, value, 'The body')).toBe(problem);
  });
});
