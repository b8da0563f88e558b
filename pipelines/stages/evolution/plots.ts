import { line, linearScale, path, rect, svg, text } from '../compare-svg.ts';
import { formatNumber } from '../figures.ts';
import { shortNumber } from '../profile/plots.ts';
import type { EvolutionReport } from './evolution.ts';
import { dateLabel } from './published.ts';
import { segmentColour } from './style.ts';

const SPARK = { width: 120, height: 30, pad: 4 };

/** Some values over time from 0, a point where there is one; gaps where there is none. */
export function sparkline(
  values: readonly (number | null)[],
  { colour, label, format }: { colour: string; label: string; format: (value: number) => string },
): string {
  const { width, height, pad } = SPARK;
  const most = Math.max(...values.map((value) => value ?? 0), 1);
  const x = (place: number) => pad + (place * (width - 2 * pad)) / Math.max(1, values.length - 1);
  const y = (value: number) => height - pad - (Math.max(0, value) / most) * (height - 2 * pad);
  const runs: [number, number][][] = [[]];
  values.forEach((value, place) => {
    if (value === null) runs.push([]);
    else runs.at(-1)!.push([x(place), y(value)]);
  });
  const there = values.flatMap((value, place) => (value === null ? [] : [{ value, place }]));
  const end = there.at(-1);
  const said =
    there.length > 1
      ? `${format(there[0]!.value)} to ${format(end!.value)}`
      : end
        ? format(end.value)
        : 'none';
  return svg({ width, height, label: `${label}: ${said}` }, [
    line([pad, height - pad + 0.5], [width - pad, height - pad + 0.5], 'step'),
    ...runs
      .filter((points) => points.length > 1)
      .map((points) => path(points, `fill="none" stroke="${colour}" stroke-width="2"`)),
    ...(end
      ? [`<circle cx="${x(end.place).toFixed(1)}" cy="${y(end.value).toFixed(1)}" r="3" fill="${colour}"/>`]
      : []),
  ]);
}

const LINES = { height: 250, left: 60, right: 16, top: 12, bottom: 34 };

/** A line for each segment: how large it was, or how much it spent. */
export function linesPlot(
  report: EvolutionReport,
  {
    label,
    pick,
    format,
  }: {
    label: string;
    pick: (state: { customers: number; spendCents: number | null }) => number | null;
    format: (value: number) => string;
  },
): string {
  const { runs, segments } = report;
  const width = Math.max(440, LINES.left + LINES.right + (runs.length - 1) * 40);
  const values = segments.map(({ states }) => states.map((state) => (state ? pick(state) : null)));
  const scale = linearScale(
    [0, ...values.flat().filter((value) => value !== null)],
    [LINES.height - LINES.bottom, LINES.top],
  );
  const x = (place: number) =>
    LINES.left + (place * (width - LINES.left - LINES.right)) / Math.max(1, runs.length - 1);
  const grid = scale.ticks.flatMap((tick) => [
    line([LINES.left, scale(tick)], [width - LINES.right, scale(tick)], 'grid'),
    text(LINES.left - 6, scale(tick) + 4, shortNumber(tick), { anchor: 'end', soft: true }),
  ]);
  const lines = values.flatMap((own, i) => {
    const there = own.flatMap((value, place) => (value === null ? [] : [{ value, place }]));
    const colour = segmentColour(i);
    const dots = there.map(({ value, place }) => {
      const tip = `${runs[place]!.asOf}: ${segments[i]!.name}: ${format(value)}`;
      return rect(
        { x: x(place) - 3, y: scale(value) - 3, width: 6, height: 6 },
        `rx="3" fill="${colour}"`,
        tip,
      );
    });
    const points = there.map(({ value, place }) => [x(place), scale(value)] as const);
    return [path(points, `fill="none" stroke="${colour}" stroke-width="2"`), ...dots];
  });
  return svg({ width, height: LINES.height, label }, [
    ...grid,
    ...axis(report, x, LINES.height - 20),
    ...lines,
  ]);
}

/** At most so many dates under a plot. */
const MOST_DATES = 8;

function axis({ runs }: EvolutionReport, x: (place: number) => number, y: number): string[] {
  const every = Math.ceil(runs.length / MOST_DATES);
  return runs.flatMap((run, place) => {
    if ((runs.length - 1 - place) % every !== 0) return [];
    const [day, year] = dateLabel(run);
    const anchor = place === runs.length - 1 ? 'end' : place === 0 ? 'start' : 'middle';
    return [
      text(x(place), y, day, { anchor, soft: true }),
      text(x(place), y + 12, year, { anchor, soft: true }),
    ];
  });
}

const BARS = { height: 240, left: 60, right: 10, top: 12, bottom: 36 };
const CAUSES = ['behaviour', 'model', 'border'] as const;
const KINDS = [...CAUSES, 'new', 'lost'] as const;

/** For each step three bars: who moved, by cause, who is new, who was lost. */
export function flowBars(report: EvolutionReport): string {
  const { steps, runs } = report;
  const width = Math.max(720, BARS.left + BARS.right + steps.length * 56);
  const rows = steps.map(({ totals, to }) => ({
    run: runs[to]!,
    stacks: [
      totals.causes === null
        ? [['moved', totals.moved] as const]
        : CAUSES.map((cause) => [cause, totals.causes![cause]] as const),
      [['new', totals.new.customers] as const],
      [['lost', totals.lost.customers] as const],
    ],
  }));
  const heights = rows.flatMap(({ stacks }) =>
    stacks.map((stack) => stack.reduce((sum, [, count]) => sum + count, 0)),
  );
  const scale = linearScale([0, 1, ...heights], [BARS.height - BARS.bottom, BARS.top]);
  const step = (width - BARS.left - BARS.right) / Math.max(1, steps.length);
  const bar = Math.min(26, (step - 12) / 3);
  const grid = scale.ticks.flatMap((tick) => [
    line([BARS.left, scale(tick)], [width - BARS.right, scale(tick)], 'grid'),
    text(BARS.left - 6, scale(tick) + 4, shortNumber(tick), { anchor: 'end', soft: true }),
  ]);
  const bars = rows.flatMap(({ run, stacks }, i) => {
    const left = BARS.left + i * step + (step - 3 * bar - 4) / 2;
    const [day, year] = dateLabel(run);
    const marks = stacks.flatMap((stack, place) => {
      let from = 0;
      return stack.flatMap(([kind, count]) => {
        if (count === 0) return [];
        const [low, high] = [from, from + count];
        from = high;
        const box = {
          x: left + place * (bar + 2),
          y: scale(high),
          width: bar,
          height: scale(low) - scale(high),
        };
        return [
          rect(
            box,
            `fill="var(--${kind === 'moved' ? 'null' : kind})"`,
            `${run.asOf}: ${kind} ${formatNumber(count)}`,
          ),
        ];
      });
    });
    const middle = BARS.left + (i + 0.5) * step;
    const labels = [
      text(middle, BARS.height - 21, day, { anchor: 'middle', soft: true }),
      ...(i === 0 || year !== dateLabel(rows[i - 1]!.run)[1]
        ? [text(middle, BARS.height - 9, year, { anchor: 'middle', soft: true })]
        : []),
    ];
    return [...marks, ...labels];
  });
  return svg({ width, height: BARS.height, label: 'Customers who moved by cause, came and were lost' }, [
    ...grid,
    ...bars,
  ]);
}

export function causeKey(): string {
  const words: Record<(typeof KINDS)[number], string> = {
    behaviour: 'moved by their own doing',
    model: 'moved since the model is another one',
    border: 'moved at a border, perhaps by chance',
    new: 'new',
    lost: 'lost',
  };
  return `<p class="key">${KINDS.map((kind) => `<span><i style="background:var(--${kind})"></i>${words[kind]}</span>`).join('')}</p>`;
}
