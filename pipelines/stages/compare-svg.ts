import { escapeHtml } from './profile/plots.ts';

// What the plots of the comparison are drawn with: text, no library and no script in the page. Colours are CSS
// variables, so that the page reads in light, in dark and in print.

export interface Frame {
  width: number;
  height: number;
  /** What the plot shows, for those who do not see it. */
  label: string;
}

export function svg({ width, height, label }: Frame, marks: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" style="max-width:${width}px" role="img" aria-label="${escapeHtml(label)}">${marks.join('')}</svg>`;
}

export function text(
  x: number,
  y: number,
  words: string,
  {
    anchor = 'start',
    soft = false,
    bold = false,
  }: { anchor?: 'start' | 'middle' | 'end'; soft?: boolean; bold?: boolean } = {},
): string {
  const classes = [soft ? 'soft' : '', bold ? 'bold' : ''].filter(Boolean).join(' ');
  return `<text x="${round(x)}" y="${round(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${classes ? ` class="${classes}"` : ''}>${escapeHtml(words)}</text>`;
}

export function rect(
  box: { x: number; y: number; width: number; height: number },
  attributes: string,
  tip?: string,
): string {
  const { x, y, width, height } = box;
  const inner = tip ? `<title>${escapeHtml(tip)}</title>` : '';
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="${round(height)}" ${attributes}>${inner}</rect>`;
}

export function line(from: [number, number], to: [number, number], classes: string): string {
  return `<line x1="${round(from[0])}" y1="${round(from[1])}" x2="${round(to[0])}" y2="${round(to[1])}" class="${classes}"/>`;
}

export function dot(
  x: number,
  y: number,
  { radius, attributes, tip }: { radius: number; attributes: string; tip?: string },
): string {
  const inner = tip ? `<title>${escapeHtml(tip)}</title>` : '';
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" ${attributes}>${inner}</circle>`;
}

export function path(points: readonly (readonly [number, number])[], attributes: string): string {
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  return `<path d="${d}" ${attributes}/>`;
}

/** Colour of candidate or cluster number i; they repeat after ten. */
export function colour(i: number): string {
  return `var(--c${i % 10})`;
}

export interface Scale {
  (value: number): number;
  ticks: number[];
}

/** A straight scale over round figures that hold all values. */
export function linearScale(values: readonly number[], range: [number, number]): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const [bottom, top] = [ticks[0]!, ticks.at(-1)!];
  const scale = (value: number) => range[0] + ((value - bottom) / (top - bottom)) * (range[1] - range[0]);
  return Object.assign(scale, { ticks });
}

export function round(value: number): number {
  return Number(value.toFixed(1));
}

export function shortened(words: string, most: number): string {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}
