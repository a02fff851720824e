import type { Answer, Content, RouteDoc } from '../route.ts';
import { PATH_PARAMETERS, SCHEMAS, TAGS } from './components.ts';
import { ref } from './schema.ts';

/** Of the paths and shapes, not of the broker's software. */
const API_VERSION = '1.0.0';

/** The OpenAPI 3.1 document of the routes. */
export function openApiDocument(routes: readonly RouteDoc[]): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const { method, path } = route;
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = operation(route);
  }
  const used = new Set(routes.map(({ tag }) => tag));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Samsa',
      version: API_VERSION,
      description: 'The HTTP side of a Samsa broker: records, administration, every Kafka API, health.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This broker; every broker answers for the whole cluster.' }],
    tags: Object.entries(TAGS)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: SCHEMAS },
  };
}

function operation({ path, id, tag, summary, parameters = {}, body, answers }: RouteDoc): object {
  return {
    operationId: id,
    tags: [tag],
    summary,
    parameters: [...pathParameters(path), ...Object.entries(parameters).map(([name, row]) => ({ name, ...row }))],
    ...(body === undefined ? {} : { requestBody: { required: true, content: mediaTypes(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer)])),
      default: { description: 'What went wrong.', content: { 'application/json': { schema: ref('Error') } } },
    },
  };
}

function pathParameters(path: string): object[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => {
    const row = PATH_PARAMETERS[name!];
    if (row === undefined) throw new Error(`path parameter ${name} of ${path} is not in the table`);
    return { name, in: 'path', required: true, ...row };
  });
}

function response({ description, content }: Answer): object {
  return { description, ...(content === undefined ? {} : { content: mediaTypes(content) }) };
}

function mediaTypes(content: Readonly<Record<string, Content>>): object {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      example === undefined ? { schema } : { schema, example },
    ]),
  );
}
