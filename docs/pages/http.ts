import { TAGS } from '../../broker/http/openapi/components.ts';
import { ALL_ROUTES } from '../../broker/http/routes.ts';
import { markdownTable } from './markdown.ts';

const BEGIN = '<!-- Paths: written by docs/generate.ts from the tables in the sources. Run npm run docs. -->';
const END = '<!-- End of paths. -->';

/** docs/HTTP.md: a page written by hand, with the list of paths from the routes. @param page as it is */
export function httpPage(page: string): string {
  const [before, rest] = cut(page, BEGIN);
  const [, after] = cut(rest, END);
  return [before, BEGIN, ...Object.keys(TAGS).map(section), '', END, after].join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

function cut(text: string, at: string): [string, string] {
  const place = text.indexOf(at);
  if (place < 0) throw new Error(`docs/HTTP.md lacks the line ${at}`);
  return [text.slice(0, place), text.slice(place + at.length)];
}

function section(tag: string): string {
  const rows = ALL_ROUTES.filter(route => route.tag === tag);
  const table = markdownTable(
    ['Path', 'What it does'],
    rows.map(({ method, path, summary }) => [`\`${method} ${path}\``, `${summary}.`]),
  );
  return `\n### ${tag}\n\n${table}`;
}
