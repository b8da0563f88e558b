import colors from 'picocolors';
import type { ComparisonSummary, GateName, LeaderboardRow } from '../pipelines/contracts/compare.ts';
import { counted, dot, links, percent, table, thousands } from './terminal.ts';

const MISSING = '–';

/** What a person reads when a comparison has ended: what to use and why, the leaderboard, where to look. */
export function compareReport(summary: ComparisonSummary, places: Record<string, string>): string {
  const { outcome, pipeline, asOf, counts, recommendation, leaderboard, reasons } = summary;
  const sign = outcome === 'compared' ? colors.green('✓ compared') : colors.red('✗ not compared');
  const tried = outcome === 'compared' ? `, ${counted(leaderboard.length, 'candidate')}` : '';
  const lines = [
    `${sign}  ${colors.bold(pipeline)}${asOf ? ` as of ${asOf}` : ''}: ${counted(counts.customers, 'customer')}${tried}`,
  ];
  if (recommendation) {
    lines.push('', colors.bold(recommendation.headline));
    lines.push(...recommendation.reasons.map((reason) => `  ${dot} ${reason}`));
    const cells = recommendation.grid.map(({ name, customers, share }) => [
      name,
      thousands(customers),
      percent(share),
    ]);
    if (cells.length > 0) lines.push('', table(['cell', 'customers', 'share'], cells, [1, 2]));
    lines.push('', figureTable(TITLES, leaderboard.map(cellsOf)), colors.dim(LEGEND));
  } else lines.push(...reasons.map((reason) => `  ${dot} ${reason}`));
  lines.push('', ...links(places));
  return lines.join('\n');
}

const TITLES = [
  '#',
  'candidate',
  'k',
  'score',
  'silhouette',
  'no groups',
  'stability',
  'valley',
  'smallest',
  'noise',
  'fit',
  'memory',
  'gates',
];
const LEGEND =
  'score: standard deviations above data without groups · no groups: silhouette there · stability: least bootstrap Jaccard, of which its gate takes two standard errors off · valley: 1 = none';

const GATE_LETTERS: Record<GateName, string> = {
  stability: 'stable',
  size: 'sizes',
  assignable: 'assigns',
  fidelity: 'rules',
  budget: 'budget',
};

function cellsOf(row: LeaderboardRow): string[] {
  const failed = row.gates.filter(({ passed }) => !passed).map(({ gate }) => GATE_LETTERS[gate]);
  const gates =
    row.gates.length === 0 ? (row.reason ?? '') : failed.length === 0 ? '✓ all' : `✗ ${failed.join(', ')}`;
  const isYardstick = row.rank === null && row.gates.length > 0;
  return [
    row.rank === null ? '' : `${row.rank}`,
    row.title,
    figure(row.k, (k) => `${k}`),
    figure(row.score, (score) => score.toFixed(1)),
    figure(row.silhouette, (value) => value.toFixed(3)),
    figure(row.nullSilhouette, (value) => value.toFixed(3)),
    figure(row.minJaccard, (value) => value.toFixed(2)),
    figure(row.valley, (value) => Math.min(1, value).toFixed(2)),
    figure(row.smallestShare, percent),
    figure(row.noiseShare, percent),
    figure(row.fitMs, (ms) => (ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`)),
    figure(row.peakMegabytes, (value) => `${value.toFixed(0)} MB`),
    isYardstick ? `${gates} (yardstick)` : gates,
  ];
}

function figure(value: number | null, format: (value: number) => string): string {
  return value === null ? MISSING : format(value);
}

/** Columns that hold figures alone are right-aligned. */
function figureTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const isFigure = (i: number) => rows.every((row) => /^(?![A-Za-z])[\d–.,% a-zMB-]*$/.test(row[i]!));
  return table(titles, rows, titles.map((_, i) => i).filter(isFigure));
}
