import { formatNumber } from '../figures.ts';
import { barsPlot, escapeHtml, round, shortened, shortNumber, svg } from './plots.ts';

const SPARK = { width: 120, height: 26 };

/** Bars without axes for a line of a table, as one path: two hundred of them have to stay small. */
export function sparkline(rows: readonly number[], label: string): string {
  const most = Math.max(...rows, 1);
  const step = SPARK.width / Math.max(rows.length, 1);
  const bars = rows.map((count, i) => {
    const height = count === 0 ? 0 : Math.max((count / most) * SPARK.height, 1);
    return count === 0
      ? ''
      : `M${round(i * step)} ${SPARK.height}v${round(-height)}h${round(step * 0.85)}v${round(height)}z`;
  });
  return rows.length === 0 ? '' : svg({ ...SPARK, label }, [`<path class="figure" d="${bars.join('')}"/>`]);
}

/** Equal steps as bars. */
export function stepsPlot(
  { from, width, rows }: { from: number; width: number; rows: readonly number[] },
  label: string,
  size: { width: number; height: number } = { width: 420, height: 150 },
): string {
  const edge = (step: number) => Number((from + step * width).toPrecision(10));
  const every = Math.ceil(rows.length / (size.width / 60));
  return barsPlot(
    { ...size, label },
    rows.map((count, i) => ({
      rows: count,
      tip: `from ${formatNumber(edge(i))} to below ${formatNumber(edge(i + 1))}: ${formatNumber(count)}`,
      label: i % every === 0 ? shortNumber(edge(i)) : '',
      colour: edge(i) < 0 ? 'refused' : 'figure',
    })),
  );
}

/** A square for each pair; figures are written in where there is room. */
export function heatMap(
  names: readonly string[],
  values: readonly (readonly (number | null)[])[],
  label: string,
): string {
  const cell = names.length > 20 ? 22 : 40;
  const left = 8 + 6.4 * Math.max(...names.map((name) => shortened(name).length));
  const size = names.length * cell;
  const marks = names.flatMap((row, i) => [
    `<text x="${round(left - 6)}" y="${round(i * cell + cell / 2 + 4)}" text-anchor="end">${escapeHtml(shortened(row))}</text>`,
    ...names.slice(0, i + 1).map((column, j) => {
      const value = values[i]![j] ?? null;
      const [x, y] = [left + j * cell, i * cell];
      const colour = value !== null && value < 0 ? 'refused' : 'figure';
      const opacity = value === null ? 0.03 : round(0.05 + 0.85 * Math.abs(value));
      const tip = `${row} and ${column}: ${value === null ? 'cannot be told' : value.toFixed(2)}`;
      const text =
        cell > 30 && value !== null && i !== j
          ? `<text x="${round(x + cell / 2)}" y="${round(y + cell / 2 + 4)}" text-anchor="middle"${Math.abs(value) > 0.6 ? ' class="on"' : ''}>${value.toFixed(2).replace('0.', '.')}</text>`
          : '';
      return `<g><title>${escapeHtml(tip)}</title><rect x="${round(x)}" y="${y}" width="${cell - 2}" height="${cell - 2}" rx="2" class="${colour}" opacity="${opacity}"/>${text}</g>`;
    }),
  ]);
  // Names stand along the diagonal too, where the triangle leaves room.
  const ends = names.map(
    (name, i) =>
      `<text x="${round(left + (i + 1) * cell + 2)}" y="${round(i * cell + cell / 2 + 4)}" class="soft">${i === names.length - 1 ? '' : escapeHtml(shortened(name))}</text>`,
  );
  return `<div class="scroll map">${svg({ width: Math.ceil(left + size + 100), height: size + 4, label }, [...marks, ...ends])}</div>`;
}
