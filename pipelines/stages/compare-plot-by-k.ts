import type { Criterion } from '../contracts/compare.ts';
import type { Drawn } from './compare-plots.ts';
import type { ReportedCandidate } from './compare-report.ts';
import { dot, line, linearScale, path, type Scale, svg, text } from './compare-svg.ts';
import { formatNumber } from './figures.ts';

const FRAME = { width: 420, height: 230 };
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 404, 12, 200];
/** Room between the frame and the first number of segments. */
const INSET = 14;

interface Curve {
  title: string;
  stroke: string;
  points: { k: number; value: number }[];
}

interface Band {
  k: number;
  mean: number;
  low: number;
  high: number;
}

interface Axes {
  x(k: number): number;
  y: Scale;
  ks: number[];
}

/** One line per candidate over the numbers of segments, and what k-means reaches on data without groups in grey. */
export function scoresByK(
  candidates: readonly Drawn[],
  { criterion, baseline }: { criterion: Criterion; baseline: ReportedCandidate | undefined },
): string {
  const curves = candidates.map(({ own, colour: stroke }): Curve => {
    const points = own.fits.flatMap(({ k, scores }) => (scores ? [{ k, value: scores[criterion] }] : []));
    return { title: own.title, stroke, points: points.sort((a, b) => a.k - b.k) };
  });
  const band = (baseline?.fits ?? []).flatMap(({ k, nullScores }): Band[] => {
    if (!nullScores) return [];
    const { mean, deviation } = nullScores[criterion];
    return [{ k, mean, low: mean - 2 * deviation, high: mean + 2 * deviation }];
  });
  const axes = axesOf(curves, band);
  if (axes === null) return '';
  const marks = [
    ...grid(axes),
    ...bandMarks(band, axes),
    ...curves.flatMap((curve) => curveMarks(curve, axes)),
  ];
  return svg({ ...FRAME, label: `${criterion} by number of segments` }, marks);
}

function axesOf(curves: readonly Curve[], band: readonly Band[]): Axes | null {
  const points = curves.flatMap((curve) => curve.points);
  const values = [...points.map(({ value }) => value), ...band.flatMap(({ low, high }) => [low, high])];
  if (values.length === 0) return null;
  const ks = [...new Set([...points, ...band].map(({ k }) => k))].sort((a, b) => a - b);
  const [least, most] = [ks[0]!, ks.at(-1)!];
  const span = RIGHT - LEFT - 2 * INSET;
  return {
    x: (k) => (most === least ? (LEFT + RIGHT) / 2 : LEFT + INSET + ((k - least) / (most - least)) * span),
    y: linearScale(values, [BOTTOM, TOP]),
    ks,
  };
}

function grid({ x, y, ks }: Axes): string[] {
  return [
    ...y.ticks.flatMap((tick) => [
      line([LEFT, y(tick)], [RIGHT, y(tick)], 'grid'),
      text(LEFT - 6, y(tick) + 4, formatNumber(tick), { anchor: 'end', soft: true }),
    ]),
    ...ks.map((k) => text(x(k), BOTTOM + 18, `${k}`, { anchor: 'middle', soft: true })),
  ];
}

function bandMarks(band: readonly Band[], { x, y }: Axes): string[] {
  const outline = bandOf(band.map(({ k, low, high }) => ({ x: x(k), low: y(low), high: y(high) })));
  if (band.length < 2) return [outline];
  const means = band.map(({ k, mean }) => [x(k), y(mean)] as const);
  return [outline, path(means, 'class="null-line"')];
}

function curveMarks({ title, stroke, points }: Curve, { x, y }: Axes): string[] {
  const dots = points.map(({ k, value }) => {
    const tip = `${title}, ${k} segments: ${formatNumber(value)}`;
    return dot(x(k), y(value), { radius: 3.2, attributes: `fill="${stroke}"`, tip });
  });
  if (points.length < 2) return dots;
  const places = points.map(({ k, value }) => [x(k), y(value)] as const);
  return [path(places, `fill="none" stroke="${stroke}" stroke-width="1.8"`), ...dots];
}

/** Grey between two standard deviations below and above; a single number of segments gets a bar. */
function bandOf(points: readonly { x: number; low: number; high: number }[]): string {
  const wide =
    points.length === 1 ? [-12, 12].map((shift) => ({ ...points[0]!, x: points[0]!.x + shift })) : points;
  if (wide.length === 0) return '';
  const outline = [
    ...wide.map(({ x, high }) => [x, high] as const),
    ...wide.toReversed().map(({ x, low }) => [x, low] as const),
  ];
  return path(outline, 'class="null-band"');
}
