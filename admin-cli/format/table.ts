/**
 * Lines under a header, each column as wide as its longest cell and followed by a tab, as kafka-transactions prints them
 * (Kafka: `ToolsUtils.prettyPrintTable`).
 */
export function table(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [headers, ...rows.map(row => row.map(String))];
  const widths = headers.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  return lines.map(line => `${line.map((cell, column) => `${cell.padEnd(widths[column]!)}\t`).join('')}\n`).join('');
}
