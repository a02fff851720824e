import { CLIENTS, type ClientRow } from '../../test/conformance/matrix/clients.ts';
import { FEATURE_IDS, FEATURES, type FeatureId } from '../../test/conformance/matrix/features.ts';
import { readResults, type Results } from '../../test/conformance/matrix/results.ts';
import { markdownTable } from './markdown.ts';

const INTRODUCTION = `<!-- Written by docs/generate.ts from the results of test/conformance/matrix.test.ts. Do not edit: run npm run docs:compatibility. -->
# Compatibility

Real clients, unchanged, against a cluster of three Samsa brokers, as the conformance tests last found them. \`npm run
docs:compatibility\` runs those tests and writes this page.
`;

/** docs/COMPATIBILITY.md. */
export function compatibilityPage(): string {
  const results = readResults();
  const notes: string[] = [];
  const head = ['', ...CLIENTS.map(({ name, language }) => `${name} (${language})`)];
  const versions = ['Version', ...CLIENTS.map(({ name }) => results[name]!.version)];
  const rows = FEATURE_IDS.map(id => [FEATURES[id], ...CLIENTS.map(row => cell(results, row, id, notes))]);
  const remarks = notes.map((note, n) => `${n + 1}. ${note}.`).join('\n');
  return `${INTRODUCTION}
${markdownTable(head, [versions, ...rows])}

–: not offered by the client, because

${remarks}
`;
}

function cell(results: Results, row: ClientRow, id: FeatureId, notes: string[]): string {
  const lack = row.lacks[id];
  if (lack === undefined) return results[row.name]!.features[id] === 'works' ? 'yes' : '**no**';
  if (!notes.includes(lack)) notes.push(lack);
  return `– (${notes.indexOf(lack) + 1})`;
}
