import colors from 'picocolors';

// What reports in a terminal have in common.

export { counted, formatNumber as thousands } from '../pipelines/stages/figures.ts';

const GAP = '  ';

/** Begins a line that belongs to the one above. */
export const dot = colors.dim('·');

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Blocks for a share in [0, 1], one at least where it is not 0. */
export function bar(share: number, width: number): string {
  return '█'.repeat(share > 0 ? Math.max(1, Math.round(share * width)) : 0);
}

type Table = [
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  rightAligned?: readonly number[],
];

export function table(...given: Table): string {
  return tableLines(...given).join('\n');
}

/**
 * The titles, then a line for each row.
 *
 * @param rightAligned columns of figures, by their place
 */
export function tableLines(...[titles, rows, rightAligned = []]: Table): string[] {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (rightAligned.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join(GAP)
      .trimEnd();
  return [colors.dim(line(titles)), ...rows.map(line)];
}

/** What is where, a line each. */
export function links(places: Readonly<Record<string, string>>): string[] {
  const width = Math.max(0, ...Object.keys(places).map((what) => what.length));
  return Object.entries(places).map(([what, place]) => `${colors.dim(what.padEnd(width))}${GAP}${place}`);
}
