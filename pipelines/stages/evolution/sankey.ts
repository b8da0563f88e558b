import { isotonicRegression } from '../../../numeric/statistics/isotonic.ts';
import { line, rect, round, shortened, svg, text } from '../compare-svg.ts';
import { formatNumber, formatShare } from '../figures.ts';
import { escapeHtml } from '../profile/plots.ts';
import type { EvolutionReport } from './evolution.ts';
import type { Flow } from './flows.ts';
import { dateLabel } from './published.ts';
import { segmentColour } from './style.ts';
import { money } from './words.ts';

// Customers between segments over time. A column is a publication; below its segments stand those who were lost since
// the one before, then those who will be new in the next, so that each column's bands are exactly the next one's.

/** Places of what a column shows, in customers, from the top. */
export interface Band {
  /** Segment id; `lost` since the column before, `new` in the next. */
  key: string;
  from: number;
  to: number;
}

export interface Ribbon {
  flow: Flow;
  /** Its top within the column it leaves and in the one it comes to, in customers. */
  fromAt: number;
  toAt: number;
}

export interface SankeyLayout {
  columns: Band[][];
  /** Of each step. */
  ribbons: Ribbon[][];
  /** Customers of the highest column. */
  most: number;
}

export const LOST = 'lost';
export const NEW = 'new';

/**
 * Where bands and ribbons lie, in customers: those of a band are next to each other and fill it, on both sides.
 *
 * @param order of the segments from the top
 */
export function layOutSankey(
  {
    runs,
    steps,
  }: {
    runs: readonly { segments: readonly { segmentId: string; customers: number }[] }[];
    steps: readonly { flows: readonly Flow[] }[];
  },
  order: readonly string[],
): SankeyLayout {
  const rank = (key: string) =>
    key === LOST ? order.length : key === NEW ? order.length + 1 : order.indexOf(key);
  const columns = runs.map(({ segments }, at) => {
    const ends = (flows: readonly Flow[] | undefined, isOf: (flow: Flow) => boolean) =>
      (flows ?? []).filter(isOf).reduce((sum, { customers }) => sum + customers, 0);
    const lost = ends(steps[at - 1]?.flows, ({ to }) => to === null);
    const arriving = ends(steps[at]?.flows, ({ from }) => from === null);
    const sizes = [
      ...segments.map(({ segmentId, customers }) => ({ key: segmentId, customers })),
      ...(lost > 0 ? [{ key: LOST, customers: lost }] : []),
      ...(arriving > 0 ? [{ key: NEW, customers: arriving }] : []),
    ].sort((left, right) => rank(left.key) - rank(right.key));
    let to = 0;
    return sizes.map(({ key, customers }): Band => {
      const from = to;
      to += customers;
      return { key, from, to };
    });
  });
  const ribbons = steps.map(({ flows }, at) => {
    const leaving = new Map(columns[at]!.map(({ key, from }) => [key, from]));
    const coming = new Map(columns[at + 1]!.map(({ key, from }) => [key, from]));
    const placed = flows.map((flow): Ribbon => ({ flow, fromAt: 0, toAt: 0 }));
    const take = (places: Map<string, number>, key: string, customers: number) => {
      const at = places.get(key)!;
      places.set(key, at + customers);
      return at;
    };
    const sorted = placed.toSorted(
      ({ flow: left }, { flow: right }) =>
        rank(left.from ?? NEW) - rank(right.from ?? NEW) || rank(left.to ?? LOST) - rank(right.to ?? LOST),
    );
    for (const ribbon of sorted) {
      const { from, to, customers } = ribbon.flow;
      ribbon.fromAt = take(leaving, from ?? NEW, customers);
      ribbon.toAt = take(coming, to ?? LOST, customers);
    }
    return placed;
  });
  return { columns, ribbons, most: Math.max(...columns.map((column) => column.at(-1)?.to ?? 0)) };
}

const HEIGHT = 440;
const GAP = 7;
const BAR = 13;
const MARGIN = { top: 30, left: 272, right: 272, bottom: 8 };
/** Pixels from a column to the next: enough to follow a ribbon, and as much as the page has beside the names. */
const STEP = { least: 76, most: 190, room: 570 };
/** Ribbons thinner than this are not seen; their customers are in the bands and in the titles. */
const THINNEST = 0.12;

/** @param order of the segments from the top */
export function sankeyPlot(report: EvolutionReport, order: readonly string[]): string {
  const layout = layOutSankey(report, order);
  const { runs } = report;
  const step = Math.max(STEP.least, Math.min(STEP.most, STEP.room / Math.max(1, runs.length - 1)));
  const gaps = Math.max(...layout.columns.map((column) => column.length - 1));
  const scale = HEIGHT / Math.max(1, layout.most);
  const frame = {
    width: Math.round(MARGIN.left + step * (runs.length - 1) + BAR + MARGIN.right),
    height: Math.round(MARGIN.top + HEIGHT + gaps * GAP + MARGIN.bottom),
    label: 'Customers between segments over time',
  };
  const x = (column: number) => MARGIN.left + column * step;
  const y = (column: number, customers: number, key: string) => {
    const place = layout.columns[column]!.findIndex((band) => band.key === key);
    return MARGIN.top + customers * scale + place * GAP;
  };
  const drawing: Drawing = { report, layout, scale, step, x, y };
  return svg(frame, [...dates(drawing), ...ribbonMarks(drawing), ...bandMarks(drawing), ...labels(drawing)]);
}

interface Drawing {
  report: EvolutionReport;
  layout: SankeyLayout;
  /** Pixels per customer. */
  scale: number;
  step: number;
  x: (column: number) => number;
  y: (column: number, customers: number, key: string) => number;
}

function dates({ report, x }: Drawing): string[] {
  return report.runs.flatMap((run, column) => {
    const [day, year] = dateLabel(run);
    const at = x(column) + BAR / 2;
    const isNewYear =
      column === 0 || report.runs[column - 1]!.asOf.slice(0, 4) !== run.asOf.slice(0, 4) || run.version > 1;
    return [
      text(at, 11, day, { anchor: 'middle' }),
      ...(isNewYear ? [text(at, 23, year, { anchor: 'middle', soft: true })] : []),
    ];
  });
}

function colourOf({ report }: Drawing, key: string): string {
  if (key === NEW || key === LOST) return `var(--${key})`;
  return segmentColour(report.segments.findIndex(({ segmentId }) => segmentId === key));
}

function ribbonMarks(drawing: Drawing): string[] {
  const { layout, scale, x, y } = drawing;
  return layout.ribbons.flatMap((ribbons, at) =>
    ribbons.flatMap(({ flow, fromAt, toAt }) => {
      const thickness = flow.customers * scale;
      if (thickness < THINNEST) return [];
      const [left, right] = [x(at) + BAR, x(at + 1)];
      const [top, topNow] = [y(at, fromAt, flow.from ?? NEW), y(at + 1, toAt, flow.to ?? LOST)];
      const middle = round((left + right) / 2);
      const edge = (fromY: number, toY: number) => `C${middle} ${round(fromY)} ${middle} ${round(toY)}`;
      const d = `M${round(left)} ${round(top)}${edge(top, topNow)} ${round(right)} ${round(topNow)}V${round(topNow + thickness)}${edge(topNow + thickness, top + thickness)} ${round(left)} ${round(top + thickness)}Z`;
      const fill = colourOf(drawing, flow.from ?? NEW);
      return [
        `<path d="${d}" class="flow" fill="${fill}"><title>${escapeHtml(flowTip(drawing, flow, at))}</title></path>`,
      ];
    }),
  );
}

function flowTip({ report }: Drawing, flow: Flow, at: number): string {
  const name = (id: string) => report.segments.find(({ segmentId }) => segmentId === id)?.name ?? id;
  const { from, to, customers, causes } = flow;
  const when = `${report.runs[at]!.asOf} to ${report.runs[at + 1]!.asOf}`;
  const who =
    from === null
      ? `new: into ${name(to!)}`
      : to === null
        ? `${name(from)}: lost`
        : from === to
          ? `${name(from)}: stayed`
          : `${name(from)} -> ${name(to)}`;
  const cents = to === null ? flow.centsBefore : flow.centsAfter;
  const spend = cents === null ? '' : `, ${money(cents, report.currency)}`;
  const why =
    causes === null || from === null || to === null
      ? ''
      : `; ${(['behaviour', 'model', 'border'] as const)
          .filter((cause) => causes[cause] > 0)
          .map((cause) => `${cause} ${formatNumber(causes[cause])}`)
          .join(', ')}`;
  return `${when}: ${who}: ${formatNumber(customers)} customers${spend}${why}`;
}

function bandMarks(drawing: Drawing): string[] {
  const { report, layout, scale, x, y } = drawing;
  return layout.columns.flatMap((bands, column) =>
    bands.map(({ key, from, to }) =>
      rect(
        { x: x(column), y: y(column, from, key), width: BAR, height: Math.max(0.8, (to - from) * scale) },
        `fill="${colourOf(drawing, key)}" rx="2"`,
        bandTip(report, column, { key, from, to }),
      ),
    ),
  );
}

function bandTip(report: EvolutionReport, column: number, { key, from, to }: Band): string {
  const { asOf } = report.runs[column]!;
  if (key === NEW) return `New up to ${report.runs[column + 1]!.asOf}: ${formatNumber(to - from)} customers`;
  if (key === LOST)
    return `Lost since ${report.runs[column - 1]!.asOf}: ${formatNumber(to - from)} customers`;
  const { name, states } = report.segments.find(({ segmentId }) => segmentId === key)!;
  const { customers, share, spendCents, nameStatus } = states[column]!;
  const spend = spendCents === null ? '' : `, ${money(spendCents, report.currency)}`;
  const called = report.runs[column]!.segments.find(({ segmentId }) => segmentId === key)!.name;
  const then = called === name ? '' : ` (called "${called}" then)`;
  const doubt = nameStatus === 'questionable' ? '; its name is questionable' : '';
  return `${asOf}: ${name}${then}: ${formatNumber(customers)} customers, ${formatShare(share)}${spend}${doubt}`;
}

const LINE = 14;
const MOST_LETTERS = 43;

/** At the first column and at the last, moved apart where bands are thin; a line leads to a name that had to move. */
function labels(drawing: Drawing): string[] {
  const { report, layout, x } = drawing;
  const last = report.runs.length - 1;
  const sides = [
    { column: 0, at: x(0) - 8, edge: x(0) - 1, anchor: 'end' as const },
    { column: last, at: x(last) + BAR + 8, edge: x(last) + BAR + 1, anchor: 'start' as const },
  ];
  return sides.flatMap(({ column, at, edge, anchor }) => {
    const bands = layout.columns[column]!;
    const centres = bands.map(({ key, from, to }) => drawing.y(column, (from + to) / 2, key));
    const places = spread(centres, LINE);
    return bands.flatMap(({ key }, i) => {
      const moved = Math.abs(places[i]! - centres[i]!) > 3;
      const shift = anchor === 'end' ? -10 : 10;
      const lead = moved
        ? [line([edge, centres[i]!], [at + shift - Math.sign(shift) * 2, places[i]!], 'step')]
        : [];
      return [
        ...lead,
        text(moved ? at + shift : at, places[i]! + 4, shortened(labelOf(report, key), MOST_LETTERS), {
          anchor,
          soft: key === NEW || key === LOST,
        }),
      ];
    });
  });
}

function labelOf(report: EvolutionReport, key: string): string {
  if (key === NEW) return 'new in the next';
  if (key === LOST) return 'lost';
  return report.segments.find(({ segmentId }) => segmentId === key)!.name;
}

/** The places nearest to the given ones, rising as they do, that are at least so far apart. */
export function spread(places: readonly number[], least: number): number[] {
  const free = isotonicRegression(places.map((place, i) => place - i * least));
  return Array.from(free, (place, i) => place + i * least);
}

/** From the dearest customers to the least: flows up and down the picture are gains and losses of value. */
export function orderByValue({ segments }: Pick<EvolutionReport, 'segments'>): string[] {
  const worthOf = ({ states }: EvolutionReport['segments'][number]) => {
    const there = states.filter((state) => state !== null);
    const customers = there.reduce((sum, state) => sum + state.customers, 0);
    const cents = there.reduce((sum, state) => sum + (state.spendCents ?? 0), 0);
    return customers > 0 ? cents / customers : 0;
  };
  return segments.toSorted((left, right) => worthOf(right) - worthOf(left)).map(({ segmentId }) => segmentId);
}
