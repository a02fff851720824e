/** Cells in columns, one blank between them, as Java's `%-10s` makes them; width 0 leaves a cell as it is. */
export function columns(widths: readonly number[], cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(widths[index]!)).join(' ');
}

/** The width of a column: at least so much, and as much as its longest value takes. */
export function widthOf(least: number, values: readonly string[]): number {
  return values.reduce((width, { length }) => Math.max(width, length), least);
}
