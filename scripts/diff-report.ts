import colors from 'picocolors';
import type { DiffReport, MatrixCell, MatrixRow } from '../pipelines/stages/evolution/diff.ts';
import type { Difference } from '../pipelines/stages/evolution/model-by-data.ts';
import { tellChanges } from '../pipelines/stages/evolution/profile-changes.ts';
import { becameWords, growth, money } from '../pipelines/stages/evolution/words.ts';
import { formatShare } from '../pipelines/stages/figures.ts';
import { counted, dot, table, thousands } from './terminal.ts';

const WAYS = 5;
const FEATURES = 5;

/** What a person reads of a comparison in a minute: doubts first, then what changed, who went where, and why. */
export function diffText(report: DiffReport): string {
  const letters = new Map(report.segments.map(({ segmentId }, i) => [segmentId, letterOf(i)]));
  return [
    headline(report),
    ...doubts(report),
    title('What changed and why'),
    ...report.sentences.map((sentence, i) => `  ${i + 1} ${sentence}`),
    title('Segments'),
    segmentTable(report, letters),
    title('Who went where: customers, and their share of the row'),
    matrixTable(report, letters),
    ...ways(report, letters),
    title('The model or the data'),
    ...modelByData(report),
    ...figures(report),
    ...names(report),
  ].join('\n');
}

function title(text: string): string {
  return `\n${colors.bold(text)}`;
}

function letterOf(i: number): string {
  return i < 26 ? String.fromCharCode(65 + i) : `${letterOf(Math.floor(i / 26) - 1)}${letterOf(i % 26)}`;
}

function headline({ pipeline, before, after, between }: DiffReport): string {
  const apart = between === 0 ? '' : `, ${counted(between, 'publication')} between`;
  return `${colors.bold(pipeline)}  as of ${before.asOf} -> ${after.asOf}${colors.dim(`  ${before.runId} -> ${after.runId}${apart}`)}`;
}

function doubts({ doubts: found, definitionChanges }: DiffReport): string[] {
  const notes = definitionChanges
    .filter(({ isDoubtful }) => !isDoubtful)
    .map(({ what }) => colors.dim(`  ${dot} ${what}`));
  if (found.length === 0) return notes;
  return [
    `\n${colors.bold(colors.yellow('Read with care'))}`,
    ...found.map((doubt) => `  ${dot} ${colors.yellow(doubt)}`),
    ...notes,
  ];
}

function segmentTable({ segments, currency }: DiffReport, letters: ReadonlyMap<string, string>): string {
  const nameOf = (id: string) => letters.get(id) ?? id;
  const rows = segments.map((segment) => {
    const { segmentId, name, before, after } = segment;
    const badge = after?.nameStatus === 'questionable' ? ' (?)' : '';
    return [
      letters.get(segmentId)!,
      `${name}${badge}`,
      ...pair(before?.customers, after?.customers, thousands),
      before && after ? growth(before.customers, after.customers) : '',
      ...pair(before?.share, after?.share, formatShare),
      ...pair(before?.spendCents, after?.spendCents, (cents) => money(cents, currency)),
      becameWords(segment, nameOf),
    ];
  });
  const titles = ['', 'segment', 'customers', '', '', 'share', '', 'spend', '', 'what became of it'];
  return table(titles, rows, [2, 5, 7]);
}

/** What was and what is, in two columns that stand beside each other. */
function pair(
  before: number | null | undefined,
  after: number | null | undefined,
  format: (value: number) => string,
): [string, string] {
  const said = (value: number | null | undefined) => (value == null ? '' : format(value));
  return [said(before), after == null ? (before == null ? '' : '-> –') : `-> ${said(after)}`];
}

function matrixTable({ matrix, segments }: DiffReport, letters: ReadonlyMap<string, string>): string {
  const columns = matrix[0]?.cells.map(({ to }) => to) ?? [];
  const names = new Map(segments.map(({ segmentId, name }) => [segmentId, name]));
  const rows = matrix.map(({ from, customers, cells }) => [
    from === null ? 'new' : `${letters.get(from)} ${names.get(from)}`,
    thousands(customers),
    ...columns.map((to) => cellText(cells.find((cell) => cell.to === to))),
  ]);
  const titles = ['from', 'all', ...columns.map((to) => (to === null ? 'lost' : letters.get(to)!))];
  return table(titles, rows, titles.map((_, i) => i).slice(1));
}

function cellText(cell: MatrixCell | undefined): string {
  if (cell === undefined || cell.customers === 0) return '·';
  return `${thousands(cell.customers)} ${formatShare(cell.share).replace(' ', '')}`;
}

function ways(report: DiffReport, letters: ReadonlyMap<string, string>): string[] {
  const { currency } = report;
  const found = report.matrix
    .flatMap((row) => row.cells.map((cell) => ({ row, cell })))
    .filter(({ row, cell }) => row.from !== cell.to && row.from !== null && cell.customers > 0)
    .toSorted((left, right) => right.cell.customers - left.cell.customers)
    .slice(0, WAYS);
  if (found.length === 0) return [];
  const rows = found.map(({ row, cell }) => [
    wayText(row, cell, letters),
    thousands(cell.customers),
    `${formatShare(cell.share)} (${formatShare(cell.low)} to ${formatShare(cell.high)})`,
    cell.cents === null ? '' : money(cell.cents, currency),
    cell.moneyShare === null
      ? ''
      : `${formatShare(cell.moneyShare.share)} (${formatShare(cell.moneyShare.low)} to ${formatShare(cell.moneyShare.high)})`,
    causeText(cell),
  ]);
  const titles = ['largest ways', 'customers', 'of the row (95 %)', 'spend', 'of its spend (95 %)', 'why'];
  return ['', table(titles, rows, [1, 3])];
}

function wayText({ from }: MatrixRow, { to }: MatrixCell, letters: ReadonlyMap<string, string>): string {
  return `${letters.get(from!)} -> ${to === null ? 'lost' : letters.get(to)}`;
}

function causeText({ causes }: MatrixCell): string {
  if (causes === null) return '';
  return (['behaviour', 'model', 'border'] as const)
    .filter((cause) => causes[cause] > 0)
    .map((cause) => `${cause} ${thousands(causes[cause])}`)
    .join(' · ');
}

function modelByData({ modelByData: found, agreement }: DiffReport): string[] {
  if (found === null) return ['  no customer is in both'];
  const line = (what: string, difference: Difference | null, reads: string) => [
    what,
    difference === null ? 'cannot be read' : thousands(difference.customers),
    difference === null ? '' : formatShare(difference.share),
    difference === null ? '' : difference.adjustedRand.toFixed(2),
    reads,
  ];
  const { adjustedMutualInformation: ami } = agreement;
  return [
    table(
      ['of the same customers', 'elsewhere', 'share', 'ARI', ''],
      [
        line('same model, new data', found.sameModelNewData, "the customers' doing"),
        line('new model, same data', found.newModelSameData, "the model's doing"),
        line('both, as published', found.both, ami === null ? '' : `AMI ${ami.toFixed(2)}`),
      ],
      [1, 2, 3],
    ),
  ];
}

function figures({ features, segments }: DiffReport): string[] {
  const ofSegments = segments.filter(({ changes }) => changes.length > 0);
  if (features.length === 0 && ofSegments.length === 0) return [];
  return [
    title('Figures that changed'),
    ...(features.length > 0 ? [`  all customers ${tellChanges(features, FEATURES)}`] : []),
    ...ofSegments.map(({ name, changes }) => `  ${name} ${tellChanges(changes)}`),
  ];
}

function names({ segments }: DiffReport): string[] {
  const renamed = segments.flatMap(({ before, after }) =>
    before && after && before.name !== after.name
      ? [`  ${dot} "${before.name}" is called "${after.name}" now`]
      : [],
  );
  const questionable = segments
    .filter(({ after }) => after?.nameStatus === 'questionable')
    .map(({ name }) => `"${name}"`);
  const lines = [
    ...renamed,
    ...(questionable.length > 0
      ? [`  ${dot} questionable (?), what they say does not hold any more: ${questionable.join(', ')}`]
      : []),
  ];
  return lines.length === 0 ? [] : [title('Names'), ...lines];
}
