import { formatNumber } from '../figures.ts';
import { FIRST_EDGE } from './bins.ts';
import type { Bin, MonthProfile } from './report.ts';

// Plots as SVG text: no script and no library in the page, so that it opens for years and in a mail client.
// Colours are CSS variables of the page; every mark has its figures as a tooltip.

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Frame {
  width: number;
  height: number;
  /** What the plot shows, for those who do not see it. */
  label: string;
}

const AXIS = { left: 56, bottom: 22, top: 10, right: 8 };

/** Rows per month: accepted ones, and on top of them the others. */
export function monthsPlot(months: readonly MonthProfile[]): string {
  const frame = { width: 860, height: 220, label: 'Rows per month, accepted and refused' };
  const scale = bandScale(frame, months.length, Math.max(...months.map(({ rows }) => rows), 1));
  const bars = months.map(({ month, rows, accepted }, i) => {
    const tip = `${month}: ${formatNumber(accepted)} accepted, ${formatNumber(rows - accepted)} refused`;
    return `<g><title>${tip}</title>${scale.bar(i, { from: 0, to: accepted, colour: 'accepted' })}${scale.bar(i, { from: accepted, to: rows, colour: 'refused' })}</g>`;
  });
  const every = Math.ceil(months.length / 20);
  const labels = months.flatMap(({ month }, i) => (i % every === 0 ? scale.label(i, shortMonth(month)) : []));
  return svg(frame, [...scale.grid(), ...bars, ...labels]);
}

/** Money per month. */
export function amountsPlot(months: readonly MonthProfile[], format: (amount: number) => string): string {
  const frame = { width: 860, height: 160, label: 'Accepted sales per month' };
  const most = Math.max(...months.map(({ acceptedAmount }) => acceptedAmount), 1);
  const scale = bandScale(frame, months.length, most);
  const bars = months.map(
    ({ month, acceptedAmount }, i) =>
      `<g><title>${month}: ${escapeHtml(format(acceptedAmount))}</title>${scale.bar(i, { from: 0, to: Math.max(acceptedAmount, 0), colour: 'money' })}</g>`,
  );
  const every = Math.ceil(months.length / 20);
  const labels = months.flatMap(({ month }, i) => (i % every === 0 ? scale.label(i, shortMonth(month)) : []));
  return svg(frame, [...scale.grid(), ...bars, ...labels]);
}

export interface Bar {
  rows: number;
  tip: string;
  /** Below the bar; empty for none. */
  label: string;
  colour: string;
}

export function barsPlot(frame: Frame, bars: readonly Bar[]): string {
  const scale = bandScale(frame, bars.length, Math.max(...bars.map(({ rows }) => rows), 1));
  const drawn = bars.map(
    ({ rows, tip, colour }, i) =>
      `<g><title>${escapeHtml(tip)}</title>${rows === 0 ? '' : scale.bar(i, { from: 0, to: rows, colour })}</g>`,
  );
  const labels = bars.flatMap(({ label }, i) => (label === '' ? [] : scale.label(i, label)));
  return svg(frame, [...scale.grid(), ...drawn, ...labels]);
}

/** A bar for each bin between the first and the last that has rows; negative ones in another colour. */
export function binsPlot(
  bins: readonly Bin[],
  { name, edges }: { name: string; edges: readonly number[] },
): string {
  const rows = new Map(bins.map((bin) => [bin.from, bin.rows]));
  const shown = edges.slice(edges.indexOf(bins[0]!.from), edges.indexOf(bins.at(-1)!.from) + 1);
  const every = Math.ceil(shown.length / 8);
  return barsPlot(
    { width: 420, height: 150, label: `Distribution of ${name}` },
    shown.map((edge, i) => ({
      rows: rows.get(edge) ?? 0,
      tip: `${binName(edge, edges[edges.indexOf(edge) + 1])}: ${formatNumber(rows.get(edge) ?? 0)} rows`,
      label: i % every > 0 ? '' : edge === FIRST_EDGE ? 'less' : shortNumber(edge),
      colour: edge < 0 ? 'refused' : 'figure',
    })),
  );
}

/** Words with the most rows as horizontal bars. */
export function wordsPlot(words: readonly { word: string; rows: number }[], name: string): string {
  const [left, right, step] = [112, 52, 20];
  const frame = { width: 420, height: words.length * step + 4, label: `Rows by ${name}` };
  const most = Math.max(...words.map(({ rows }) => rows), 1);
  const marks = words.map(({ word, rows }, i) => {
    const width = (rows / most) * (frame.width - left - right);
    const middle = i * step + 14;
    return `<g><title>${escapeHtml(word)}: ${formatNumber(rows)} rows</title><text x="${left - 8}" y="${middle}" text-anchor="end">${escapeHtml(shortened(word))}</text><rect x="${left}" y="${i * step + 3}" width="${round(width)}" height="14" class="figure"/><text x="${round(left + width + 6)}" y="${middle}" class="soft">${shortNumber(rows)}</text></g>`;
  });
  return svg(frame, marks);
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Rows by weekday and hour: the more, the darker. */
export function weekPlot(week: readonly (readonly number[])[]): string {
  const [left, cell, step] = [36, 15, 16];
  const frame = { width: left + 24 * step, height: 7 * step + 20, label: 'Rows by weekday and hour' };
  const most = Math.max(...week.flat(), 1);
  const cells = week.flatMap((hours, day) =>
    hours.map(
      (rows, hour) =>
        `<rect x="${left + hour * step}" y="${day * step}" width="${cell}" height="${cell}" rx="2" class="figure" opacity="${round(rows === 0 ? 0.06 : 0.12 + 0.88 * (rows / most))}"><title>${WEEKDAYS[day]} ${hour}:00: ${formatNumber(rows)} rows</title></rect>`,
    ),
  );
  const days = WEEKDAYS.map((name, day) => `<text x="0" y="${day * step + 12}" class="soft">${name}</text>`);
  const hours = [0, 6, 12, 18].map(
    (hour) => `<text x="${left + hour * step}" y="${7 * step + 14}" class="soft">${hour}:00</text>`,
  );
  return svg(frame, [...cells, ...days, ...hours]);
}

function bandScale({ width, height }: Frame, bands: number, most: number) {
  const step = (width - AXIS.left - AXIS.right) / Math.max(bands, 1);
  const bottom = height - AXIS.bottom;
  const ticks = ticksTo(most);
  const top = ticks.at(-1)!;
  const y = (value: number) => bottom - (value / top) * (bottom - AXIS.top);
  return {
    bar(band: number, { from, to, colour }: { from: number; to: number; colour: string }): string {
      const x = round(AXIS.left + band * step + step * 0.1);
      return `<rect x="${x}" y="${round(y(to))}" width="${round(step * 0.8)}" height="${round(y(from) - y(to))}" class="${colour}"/>`;
    },
    label(band: number, text: string): string[] {
      const x = round(AXIS.left + (band + 0.5) * step);
      return [
        `<text x="${x}" y="${height - 6}" text-anchor="middle" class="soft">${escapeHtml(text)}</text>`,
      ];
    },
    grid: (): string[] =>
      ticks.map(
        (tick) =>
          `<line x1="${AXIS.left}" x2="${width - AXIS.right}" y1="${round(y(tick))}" y2="${round(y(tick))}" class="grid"/><text x="${AXIS.left - 6}" y="${round(y(tick) + 4)}" text-anchor="end" class="soft">${shortNumber(tick)}</text>`,
      ),
  };
}

/** From 0 to the first round step at or above the most: 1, 2 or 5 times a power of ten apart. */
function ticksTo(most: number): number[] {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

export function svg({ width, height, label }: Frame, marks: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeHtml(label)}">${marks.join('')}</svg>`;
}

function binName(from: number, to: number | undefined): string {
  if (from === FIRST_EDGE) return `below ${formatNumber(to!)}`;
  return to === undefined
    ? `from ${formatNumber(from)}`
    : `from ${formatNumber(from)} to below ${formatNumber(to)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function shortMonth(month: string): string {
  const [year, number] = month.split('-');
  return `${MONTHS[Number(number) - 1]} ${year!.slice(2)}`;
}

export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${formatNumber(value / 1e9)} bn`;
  if (size >= 1e6) return `${formatNumber(value / 1e6)} m`;
  return size >= 10_000 ? `${formatNumber(value / 1e3)} k` : formatNumber(value);
}

export function shortened(word: string): string {
  return word.length > 16 ? `${word.slice(0, 15)}…` : word;
}

export function round(value: number): number {
  return Number(value.toFixed(2));
}
