import { formatNumber, formatShare } from '../figures.ts';
import { binEdges } from './bins.ts';
import { binsPlot, escapeHtml, wordsPlot } from './plots.ts';
import { heatMap, sparkline, stepsPlot } from './plots-small.ts';
import {
  type ColumnProfile,
  type Counted,
  type FigureProfile,
  type ProfileReport,
  shareOf,
} from './report.ts';

const KINDS: Record<ColumnProfile['kind'], string> = {
  identifier: 'id or text',
  time: 'time',
  figure: 'figure',
  word: 'words',
  flag: 'yes or no',
  other: 'other',
};

/** With more columns than these the details of each are folded away, and the table says the most of them. */
const MOST_OPEN = 16;

export function columnsSection({ columns, rows, sample }: ProfileReport): string {
  const isOpen = columns.length <= MOST_OPEN;
  const detailed = columns
    .map((column) => ({ column, body: columnDetails(column, sample) }))
    .filter(({ body }) => body !== '');
  const linked = new Set(detailed.map(({ column }) => column.name));
  const lines = columns.map((column) => overviewRow(column, { rows, isLinked: linked.has(column.name) }));
  const details = detailed.map(
    ({ column, body }) =>
      `<details class="card column" id="c-${escapeHtml(column.name)}"${isOpen ? ' open' : ''}><summary><b class="name">${escapeHtml(column.name)}</b> <span class="soft">${KINDS[column.kind]}</span></summary>${body}</details>`,
  );
  return `<div class="scroll"><table class="overview"><thead><tr><th>Column</th><th>Kind</th><th class="number">Missing</th><th class="number">Different</th><th>What is in it</th><th></th></tr></thead>
<tbody>${lines.join('\n')}</tbody></table></div>
<div class="columns">${details.join('\n')}</div>`;
}

function overviewRow(column: ColumnProfile, { rows, isLinked }: { rows: number; isLinked: boolean }): string {
  const name = escapeHtml(column.name);
  const missing = column.missing === 0 ? '–' : formatShare(shareOf(column.missing, rows));
  return `<tr><td class="name">${isLinked ? `<a href="#c-${name}">${name}</a>` : name}</td><td class="soft">${KINDS[column.kind]}</td>
<td class="number${column.missing > 0 ? ' some' : ' soft'}">${missing}</td><td class="number">${differentOf(column)}</td><td>${escapeHtml(gist(column, rows))}</td><td class="spark">${sparkOf(column)}</td></tr>`;
}

function differentOf(column: ColumnProfile): string {
  switch (column.kind) {
    case 'identifier':
      return about(column.distinct);
    case 'figure':
      return `${column.isSample ? '> ' : ''}${formatNumber(column.distinct)}`;
    case 'word':
      return formatNumber(column.distinct);
    default:
      return '';
  }
}

function about({ count, isEstimate }: Counted): string {
  return `${isEstimate ? '≈ ' : ''}${formatNumber(count)}`;
}

function gist(column: ColumnProfile, rows: number): string {
  switch (column.kind) {
    case 'identifier': {
      const { lengths, repeated } = column;
      if (lengths === null) return '';
      const length =
        lengths.least === lengths.most
          ? `${lengths.least} characters each`
          : `${lengths.least} to ${formatNumber(lengths.most)} characters`;
      return `${length}, ${repeated.count === 0 ? 'none twice' : `${about(repeated)} rows repeat one`}`;
    }
    case 'time': {
      if (column.first === null) return '';
      const odd = [
        column.ancient > 0 ? `, ${formatNumber(column.ancient)} before 1990` : '',
        column.future > 0 ? `, ${formatNumber(column.future)} at the as-of date or later` : '',
      ];
      return `${column.first.replace('T', ' ')} to ${(column.last ?? column.first).replace('T', ' ')}${odd.join('')}`;
    }
    case 'figure': {
      const median = column.quantiles.find(({ percent }) => percent === 50);
      return median === undefined || column.least === null
        ? ''
        : `${formatNumber(column.least)} to ${formatNumber(column.most!)}, half below ${formatNumber(median.value)}`;
    }
    case 'word':
      return column.words
        .slice(0, 3)
        .map(({ word, rows: own }) => `${word} ${formatShare(shareOf(own, rows))}`)
        .join(', ');
    case 'flag':
      return `yes ${formatShare(shareOf(column.yes, column.yes + column.no))}`;
    case 'other':
      return `of type ${column.type}`;
  }
}

function sparkOf(column: ColumnProfile): string {
  const label = `Shape of ${column.name}`;
  switch (column.kind) {
    case 'figure': {
      if (column.steps) return sparkline(column.steps.rows, label);
      const edges = binEdges(column.isWhole);
      const rows = new Map(column.bins.map((bin) => [bin.from, bin.rows]));
      const [first, last] = [column.bins[0], column.bins.at(-1)];
      if (!first || !last) return '';
      const shown = edges.slice(edges.indexOf(first.from), edges.indexOf(last.from) + 1);
      return sparkline(
        shown.map((edge) => rows.get(edge) ?? 0),
        label,
      );
    }
    case 'word':
      return sparkline(
        column.words.map(({ rows }) => rows),
        label,
      );
    case 'time':
      return sparkline(
        column.months.map(({ rows }) => rows),
        label,
      );
    default:
      return '';
  }
}

function columnDetails(column: ColumnProfile, sample: ProfileReport['sample']): string {
  switch (column.kind) {
    case 'figure':
      return column.bins.length === 0 ? '' : figureDetails(column, sample);
    case 'word': {
      const others =
        column.otherRows > 0 ? `${formatNumber(column.otherRows)} rows have none of these. ` : '';
      const { lengths } = column;
      const length = lengths ? `Words of ${lengths.least} to ${formatNumber(lengths.most)} characters.` : '';
      return column.words.length === 0
        ? ''
        : `${wordsPlot(column.words, column.name)}<p class="soft">${others}${length}</p>`;
    }
    default:
      return '';
  }
}

function figureDetails(column: FigureProfile, sample: ProfileReport['sample']): string {
  const plot = column.steps
    ? stepsPlot(column.steps, `Distribution of ${column.name}`)
    : binsPlot(column.bins, { name: column.name, edges: binEdges(column.isWhole) });
  const heads = ['least', ...column.quantiles.map(({ percent }) => `${percent} %`), 'most'];
  const values = [column.least ?? 0, ...column.quantiles.map(({ value }) => value), column.most ?? 0];
  return `${plot}
<table class="quantiles"><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr><tr>${values.map((value) => `<td>${formatNumber(value)}</td>`).join('')}</tr></table>
<p class="soft">${figureFacts(column).join('; ')}.${column.isSample ? ` From a sample of ${formatNumber(sample.rows)} of ${formatNumber(sample.of)} rows, but for least and most.` : ''}</p>${extremesTable(column)}`;
}

function figureFacts({ counted, mean, deviation, negative, zero, fences, steps }: FigureProfile): string[] {
  const share = (rows: number) => `${formatNumber(rows)} (${formatShare(shareOf(rows, counted))})`;
  const outliers = fences === null ? 0 : fences.below + fences.above;
  const far = fences === null ? 0 : fences.farBelow + fences.farAbove;
  return [
    `Mean ${formatNumber(mean)}, standard deviation ${formatNumber(deviation)}`,
    negative > 0 ? `${share(negative)} below 0` : '',
    zero > 0 ? `${share(zero)} at 0` : '',
    fences === null
      ? ''
      : `${share(outliers)} outside ${formatNumber(fences.lower)} to ${formatNumber(fences.upper)} (1.5 interquartile ranges), ${share(far)} far outside`,
    steps ? '' : 'the steps of the plot widen with the values',
  ].filter((fact) => fact !== '');
}

function extremesTable({ extremes, name }: FigureProfile): string {
  if (extremes.length === 0) return '';
  const rows = extremes.map(
    ({ value, rows: own, share, hasOpposite }) =>
      `<tr><td class="number">${formatNumber(value)}</td><td class="number">${formatNumber(own)}</td><td class="number">${formatShare(share)}</td><td>${hasOpposite ? 'with its opposite' : ''}</td></tr>`,
  );
  return `<details><summary>Extreme values</summary><table><thead><tr><th class="number">Value</th><th class="number">Rows</th><th class="number">Share of all ${escapeHtml(name)}</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table></details>`;
}

export function correlationsSection({ correlations }: ProfileReport): string {
  if (correlations === null) return '';
  const { columns, values, rows, leftOut } = correlations;
  const more = leftOut > 0 ? ` ${formatNumber(leftOut)} further columns are left out.` : '';
  return `<p class="soft">Whether two figures rise together (blue, 1) or one falls while the other rises (orange, −1). Spearman’s correlation of ${formatNumber(rows)} rows.${more}</p>
${heatMap(columns, values, 'Correlations between the figures')}`;
}
