import type { RunSummary } from '../pipelines/contracts/run.ts';
import type { Movement, MovementReport } from '../pipelines/stages/movements.ts';
import type { SegmentName } from '../pipelines/stages/name.ts';
import type { SinceLast } from './run-report.ts';
import { bar, counted, percent, table, thousands } from './terminal.ts';

const WAYS_SHOWN = 8;
const BAR_WIDTH = 12;

type CheckedName = Pick<SegmentName, 'name' | 'status' | 'reason' | 'proposal'>;

/**
 * What changed since the last publication, by the movements that the stability stage kept.
 *
 * @param names with what the name stage found of them
 */
export function sinceLast(
  { segments }: Pick<RunSummary, 'segments'>,
  report: MovementReport,
  names: readonly CheckedName[] = [],
): SinceLast {
  const nameOf = new Map(segments.map(({ segmentId, name }) => [segmentId, name]));
  const changes = new Map<string, number>(segments.map(({ segmentId }) => [segmentId, 0]));
  for (const { from, to, customers } of report.movements) {
    if (from !== null) changes.set(from, (changes.get(from) ?? 0) - customers);
    if (to !== null) changes.set(to, (changes.get(to) ?? 0) + customers);
  }
  const ways = waysOf(report.movements);
  const shown = ways.slice(0, WAYS_SHOWN);
  const most = Math.max(0, ...shown.map(({ customers }) => customers));
  const said = (id: string | null, otherwise: string) => (id === null ? otherwise : (nameOf.get(id) ?? id));
  const rows = shown.map(({ from, to, cause, customers }) => [
    said(from, '(new)'),
    said(to, '(lost)'),
    thousands(customers),
    bar(customers / most, BAR_WIDTH),
    from === null || to === null ? '' : cause,
  ]);
  const left = ways.length - shown.length;
  return {
    changes,
    lines: [
      ...names.filter(({ status }) => status === 'questionable').map(questionable),
      tally(report),
      ...(rows.length > 0 ? [table(['from', 'to', 'customers', '', 'cause'], rows, [2])] : []),
      ...(left > 0 ? [`and ${counted(left, 'way')} that fewer took`] : []),
    ],
  };
}

function questionable({ name, reason, proposal }: CheckedName): string {
  const today = proposal ? `; today it would be called "${proposal.name}"` : '';
  return `(?) ${name}: ${reason}${today}`;
}

function tally({ stayed, moved, new: arrived, lost }: MovementReport): string {
  const going = moved ?? { behaviour: NOBODY, model: NOBODY, border: NOBODY };
  const [behaviour, border] = [going.behaviour.customers, going.border.customers];
  const count = behaviour + going.model.customers + border;
  const common = stayed.customers + count;
  const share = common > 0 ? ` (${percent(count / common)})` : '';
  return `moved: ${counted(count, 'customer')}${share}, ${thousands(behaviour)} by what they do, ${thousands(border)} at a border · new: ${thousands(arrived.customers)} · lost: ${thousands(lost.customers)}`;
}

const NOBODY = { customers: 0 };

/** Those that most took first; of equal ones in the report's own order. */
function waysOf(movements: readonly Movement[]): Movement[] {
  return movements.toSorted((left, right) => right.customers - left.customers);
}
