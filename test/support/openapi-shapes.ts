import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Holds answers against the shapes that an OpenAPI document promises. */
export class OpenApiShapes {
  readonly #document: OpenApiDocument;
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv.addSchema(document, 'doc');
  }

  /** Throws, naming the field, when the document promises no such answer or another shape. */
  check(method: string, url: string, status: number, body: unknown): void {
    const path = this.#pathOf(url);
    const { responses } = this.#document.paths[path]![method.toLowerCase()]!;
    const answer = responses[status] === undefined ? 'default' : String(status);
    if (answer === 'default' && status < 400) throw new Error(`${method} ${path} does not tell of ${status}`);
    if (responses[answer]!.content === undefined) {
      if (body !== '') throw new Error(`${method} ${path} promises no body with ${status}`);
      return;
    }
    const steps = ['paths', path, method.toLowerCase(), 'responses', answer, 'content', 'application/json', 'schema'];
    const reference = `doc#${steps.map(step => `/${pointer(step)}`).join('')}`;
    let validate = this.#compiled.get(reference);
    if (validate === undefined) this.#compiled.set(reference, (validate = this.#ajv.compile({ $ref: reference })));
    if (!validate(body)) throw new Error(`${method} ${path} ${status}: ${this.#ajv.errorsText(validate.errors)}`);
  }

  /** The path with the fewest parameters that the URL fits. */
  #pathOf(url: string): string {
    const wanted = url.split('?')[0]!;
    const [found] = Object.keys(this.#document.paths)
      .filter(path => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(wanted))
      .sort((a, b) => a.split('{').length - b.split('{').length);
    if (found === undefined) throw new Error(`${url} is no path of the document`);
    return found;
  }
}

function pointer(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}
