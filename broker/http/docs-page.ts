import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import type { Route } from './route.ts';

const tag = 'Operation';
/** The page loads nothing from elsewhere and sends requests to its own broker alone. */
const CONTENT_SECURITY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'";

/** Parts of the page beside the page itself. */
const ASSETS: Readonly<Record<string, string>> = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};

/** What the routes are, for programs and for people. */
export const DOCS_ROUTES: readonly Route<{ readonly openApi: () => object }>[] = [
  {
    method: 'GET',
    path: '/openapi.json',
    id: 'openApi',
    tag,
    summary: 'Shows the OpenAPI 3.1 document of all these paths',
    answers: { 200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } } },
    handle: ({ openApi }) => openApi(),
  },
  {
    method: 'GET',
    path: '/docs',
    id: 'docs',
    tag,
    summary: 'Shows a page to read and try all these paths in a browser',
    answers: { 200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } } },
    handle: (_parts, _request, reply) => sendFile(reply, 'page.html', 'text/html; charset=utf-8'),
  },
];

/** What the page loads: of no interest by itself, so it is not among the routes that are told of. */
export const DOCS_ASSETS: readonly Route<unknown>[] = Object.entries(ASSETS).map(([name, type]) => ({
  method: 'GET',
  path: `/docs/${name}`,
  id: name,
  tag,
  summary: '',
  answers: {},
  handle: (_parts, _request, reply) => sendFile(reply, name, type),
}));

async function sendFile(reply: FastifyReply, name: string, type: string): Promise<FastifyReply> {
  const text = await readFile(join(import.meta.dirname, 'page', name));
  return reply
    .type(type)
    .headers({ 'content-security-policy': CONTENT_SECURITY, 'cache-control': 'no-cache' })
    .send(text);
}
