import type { LeaderboardRow } from '../contracts/compare.ts';
import type { ComparisonReport, ReportedCandidate } from './compare-report.ts';
import type { Scatter } from './compare-scatter.ts';
import { colour, dot, line, linearScale, rect, round, shortened, svg, text } from './compare-svg.ts';
import { duration } from './compare-words.ts';
import { formatNumber, formatShare } from './figures.ts';

const NAME_WIDTH = 170;
const LETTERS = 25;

/** A candidate with the colour it has in all plots. */
export interface Drawn {
  own: ReportedCandidate;
  colour: string;
}

/** Sizes of the segments, largest first, as one bar for each candidate; noise is hatched. */
export function sizeBars(candidates: readonly Drawn[]): string {
  const rows = candidates.filter(({ own }) => own.best !== null);
  const [width, step] = [860, 26];
  const span = width - NAME_WIDTH - 60;
  const marks = rows.flatMap(({ own }, i) => {
    const fit = own.fits[own.best!]!;
    const total = fit.sizes.reduce((sum, size) => sum + size, 0) / Math.max(1e-9, 1 - fit.noiseShare);
    let at = NAME_WIDTH;
    const bars = fit.sizes.map((size, cluster) => {
      const own = (size / total) * span;
      const tip = `${fit.names?.[cluster] ?? `segment ${cluster + 1}`}: ${formatNumber(size)} customers, ${formatShare(size / total)}`;
      const bar = rect(
        { x: at, y: i * step + 4, width: own - 1, height: 17 },
        `fill="${colour(cluster)}"`,
        tip,
      );
      at += own;
      return bar;
    });
    const noise = fit.noiseShare * span;
    return [
      text(NAME_WIDTH - 8, i * step + 17, shortened(own.title, LETTERS), { anchor: 'end' }),
      ...bars,
      fit.noiseShare > 0
        ? rect(
            { x: at, y: i * step + 4, width: noise, height: 17 },
            'class="noise"',
            `in no segment: ${formatShare(fit.noiseShare)}`,
          )
        : '',
      text(width - 52, i * step + 17, `k = ${fit.k}`, { soft: true }),
    ];
  });
  return svg({ width, height: rows.length * step + 6, label: 'Sizes of the segments by candidate' }, marks);
}

/** A dot for each segment where its bootstrap Jaccard lies; left of the line it is not the same group again. */
export function stabilityDots(candidates: readonly Drawn[], needed: number): string {
  const rows = candidates.filter(({ own }) => own.best !== null);
  const [width, step, top] = [860, 26, 18];
  const x = (jaccard: number) => NAME_WIDTH + jaccard * (width - NAME_WIDTH - 20);
  const height = rows.length * step + top + 24;
  const marks = [
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((tick) => [
      line([x(tick), top], [x(tick), height - 22], tick === needed ? 'needed' : 'grid'),
      text(x(tick), height - 6, `${tick}`, { anchor: 'middle', soft: true }),
    ]),
    text(x(needed), 11, `needed: ${needed}`, { anchor: 'middle', soft: true }),
    ...rows.flatMap(({ own }, i) => {
      const fit = own.fits[own.best!]!;
      const middle = top + i * step + 13;
      const total = fit.sizes.reduce((sum, size) => sum + size, 0);
      return [
        text(NAME_WIDTH - 8, middle + 4, shortened(own.title, LETTERS), { anchor: 'end' }),
        line([x(Math.min(...fit.jaccards)), middle], [x(Math.max(...fit.jaccards)), middle], 'range'),
        ...fit.jaccards.map((jaccard, cluster) =>
          dot(x(jaccard), middle, {
            radius: round(3 + 7 * Math.sqrt(fit.sizes[cluster]! / total)),
            attributes: `fill="${colour(cluster)}" fill-opacity="0.8"`,
            tip: `${fit.names?.[cluster] ?? `segment ${cluster + 1}`}: ${jaccard.toFixed(2)}, ${formatNumber(fit.sizes[cluster]!)} customers`,
          }),
        ),
      ];
    }),
  ];
  return svg({ width, height, label: 'Stability of each segment by candidate' }, marks);
}

/** Adjusted Rand index of every two candidates: the darker, the more they agree. */
export function agreementMap(
  { candidates, matrix }: ComparisonReport['agreement'],
  titles: ReadonlyMap<string, string>,
): string {
  const cell = Math.min(56, Math.floor(640 / Math.max(1, candidates.length)));
  const width = NAME_WIDTH + candidates.length * cell + 60;
  const head = 104;
  const name = (candidate: string) => titles.get(candidate) ?? candidate;
  const marks = candidates.flatMap((candidate, i) => [
    text(NAME_WIDTH - 8, head + i * cell + cell / 2 + 4, shortened(name(candidate), LETTERS), {
      anchor: 'end',
    }),
    `<g transform="translate(${round(NAME_WIDTH + i * cell + cell / 2 + 4)} ${head - 8}) rotate(-40)">${text(0, 0, shortened(name(candidate), 20), { soft: true })}</g>`,
    ...candidates.map((other, j) => {
      const index = matrix[i]![j]!;
      const strength = round(100 * (0.06 + 0.94 * Math.max(0, index))) / 100;
      const words = text(
        NAME_WIDTH + (j + 0.5) * cell - 1,
        head + (i + 0.5) * cell + 4,
        index.toFixed(2).replace('-0.00', '0.00'),
        {
          anchor: 'middle',
        },
      );
      const box = { x: NAME_WIDTH + j * cell, y: head + i * cell, width: cell - 2, height: cell - 2 };
      return `<g class="${strength > 0.7 ? 'on-dark' : ''}">${rect(box, `rx="3" class="figure" fill-opacity="${strength}"`, `${name(candidate)} and ${name(other)}: ${index.toFixed(3)}`)}${words}</g>`;
    }),
  ]);
  return svg(
    { width, height: head + candidates.length * cell + 6, label: 'Agreement of every two candidates' },
    marks,
  );
}

/** Time and memory on logarithmic bars: they differ by factors, not by amounts. */
export function costBars(rows: readonly LeaderboardRow[], cost: 'time' | 'memory'): string {
  const shown = rows.flatMap((row) => {
    const value = cost === 'time' ? row.fitMs : row.peakMegabytes;
    return value === null ? [] : [{ title: row.title, value: Math.max(value, 0) }];
  });
  if (shown.length === 0) return '';
  const [width, step, name] = [420, 22, 146];
  const floor = 0.5;
  const most = Math.log10(Math.max(...shown.map(({ value }) => value), 10) / floor);
  const marks = shown.flatMap(({ title, value }, i) => {
    const words = cost === 'time' ? duration(value) : `${formatNumber(Math.round(value))} MB`;
    const long = (Math.max(0, Math.log10(Math.max(value, floor) / floor)) / most) * (width - name - 74);
    return [
      text(name - 6, i * step + 15, shortened(title, 24), { anchor: 'end' }),
      rect(
        { x: name, y: i * step + 4, width: Math.max(1, long), height: 14 },
        `class="${cost === 'time' ? 'figure' : 'money'}"`,
        `${title}: ${words}`,
      ),
      text(name + long + 6, i * step + 15, words, { soft: true }),
    ];
  });
  return svg(
    { width, height: shown.length * step + 6, label: cost === 'time' ? 'Time of one fit' : 'Memory' },
    marks,
  );
}

/** Customers along the two directions in which they differ most, coloured by segment. */
export function scatterPlot(
  { x, y, clusters, axes }: Scatter,
  { features, noise }: { features: readonly string[]; noise: number },
): string {
  const frame = {
    width: 560,
    height: 420,
    label: 'Customers by their two main components, coloured by segment',
  };
  const toX = linearScale(x, [40, 548]);
  const toY = linearScale(y, [378, 10]);
  const marks = [
    ...toX.ticks.map((tick) => line([toX(tick), 10], [toX(tick), 378], 'grid')),
    ...toY.ticks.map((tick) => line([40, toY(tick)], [548, toY(tick)], 'grid')),
    ...x.map((value, i) => {
      const fill = clusters[i] === noise ? 'class="noise-dot"' : `fill="${colour(clusters[i]!)}"`;
      return `<circle cx="${round(toX(value))}" cy="${round(toY(y[i]!))}" r="2.6" ${fill} fill-opacity="0.7"/>`;
    }),
    text(294, 408, axisWords(axes[0], features, '→'), { anchor: 'middle', soft: true }),
    `<g transform="translate(14 194) rotate(-90)">${text(0, 0, axisWords(axes[1], features, '→'), { anchor: 'middle', soft: true })}</g>`,
  ];
  return svg(frame, marks);
}

function axisWords(
  { share, weights }: Scatter['axes'][number],
  features: readonly string[],
  arrow: string,
): string {
  const order = weights.map((_, j) => j).sort((a, b) => Math.abs(weights[b]!) - Math.abs(weights[a]!));
  const words = order
    .filter((j) => Math.abs(weights[j]!) >= 0.35)
    .slice(0, 3)
    .map((j) => `${weights[j]! < 0 ? 'less' : 'more'} ${features[j] ?? `column ${j}`}`);
  return `${words.join(', ')} ${arrow} (${formatShare(share)} of the differences)`;
}
