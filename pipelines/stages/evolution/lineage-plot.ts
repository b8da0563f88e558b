import { dot, line, shortened, svg, text } from '../compare-svg.ts';
import { formatNumber, formatShare } from '../figures.ts';
import { escapeHtml } from '../profile/plots.ts';
import type { EvolutionReport } from './evolution.ts';
import { dateLabel } from './published.ts';
import { segmentColour } from './style.ts';

// A line for each segment, a dot for each publication that has it: where lines begin, end, part and meet. A dot is as
// large as the segment; a hollow one has a name that does not hold.

const ROW = 30;
const MARGIN = { top: 34, left: 300, right: 24, bottom: 6 };
const STEP = { least: 56, most: 150, room: 700 };
const RADIUS = { least: 4, most: 11 };
const MOST_LETTERS = 48;

export function lineagePlot(report: EvolutionReport): string {
  const { runs, segments } = report;
  const step = Math.max(STEP.least, Math.min(STEP.most, STEP.room / Math.max(1, runs.length - 1)));
  const frame = {
    width: Math.round(MARGIN.left + step * (runs.length - 1) + MARGIN.right),
    height: MARGIN.top + segments.length * ROW + MARGIN.bottom,
    label: 'How segments came, parted, met and went',
  };
  const x = (place: number) => MARGIN.left + place * step;
  const y = (row: number) => MARGIN.top + row * ROW + ROW / 2;
  const drawing = { report, x, y };
  return svg(frame, [...dates(drawing), ...edges(drawing), ...lives(drawing)]);
}

interface Drawing {
  report: EvolutionReport;
  x: (place: number) => number;
  y: (row: number) => number;
}

function dates({ report, x, y }: Drawing): string[] {
  const bottom = y(report.segments.length - 1) + ROW / 2;
  return report.runs.flatMap((run, place) => {
    const [day, year] = dateLabel(run);
    const isNewYear =
      place === 0 || report.runs[place - 1]!.asOf.slice(0, 4) !== run.asOf.slice(0, 4) || run.version > 1;
    return [
      line([x(place), MARGIN.top - 4], [x(place), bottom], 'step'),
      text(x(place), 12, day, { anchor: 'middle' }),
      ...(isNewYear ? [text(x(place), 24, year, { anchor: 'middle', soft: true })] : []),
    ];
  });
}

/** From the parent at the publication before to the child, or from the one that goes to the one that takes it in. */
function edges({ report, x, y }: Drawing): string[] {
  const rowOf = (id: string) => report.segments.findIndex(({ segmentId }) => segmentId === id);
  return report.lineage.map(({ at, from, to, kind }) => {
    const [start, end] = [rowOf(from), rowOf(to)];
    const [left, right] = [x(at - 1), x(at)];
    const middle = (left + right) / 2;
    const tip = `${report.runs[at]!.asOf}: ${report.segments[start]!.name} ${kind === 'split' ? 'gave rise to' : 'went into'} ${report.segments[end]!.name}`;
    const colour = segmentColour(kind === 'split' ? end : start);
    return `<path d="M${left} ${y(start)}C${middle} ${y(start)} ${middle} ${y(end)} ${right} ${y(end)}" class="edge" stroke="${colour}"><title>${escapeHtml(tip)}</title></path>`;
  });
}

function lives({ report, x, y }: Drawing): string[] {
  const most = Math.max(...report.segments.flatMap(({ states }) => states.map((state) => state?.share ?? 0)));
  return report.segments.flatMap(({ name, states }, row) => {
    const colour = segmentColour(row);
    const there = states.flatMap((state, place) => (state ? [{ state, place }] : []));
    const [first, last] = [there[0]!.place, there.at(-1)!.place];
    const stroke = `<line x1="${x(first)}" y1="${y(row)}" x2="${x(last)}" y2="${y(row)}" class="life" stroke="${colour}" stroke-opacity=".45"/>`;
    const dots = there.map(({ state, place }) => {
      const radius = RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(state.share / most);
      const isQuestionable = state.nameStatus === 'questionable';
      const attributes = isQuestionable ? `class="hollow" stroke="${colour}"` : `fill="${colour}"`;
      const doubt = isQuestionable ? '; its name does not hold' : '';
      const tip = `${report.runs[place]!.asOf}: ${name}: ${formatNumber(state.customers)} customers, ${formatShare(state.share)}${doubt}`;
      return dot(x(place), y(row), { radius: Number(radius.toFixed(1)), attributes, tip });
    });
    const label = text(MARGIN.left - RADIUS.most - 10, y(row) + 4, shortened(name, MOST_LETTERS), {
      anchor: 'end',
    });
    return [label, stroke, ...dots];
  });
}
