import { netFlow, twoSidedNormal } from '../../../numeric/movement/net-flow.ts';
import { dispersionOf } from '../../../numeric/statistics/dispersion.ts';
import { benjaminiHochberg } from '../../../numeric/statistics/false-discovery.ts';
import type { AlertRuleOf } from '../../contracts/alert-settings.ts';
import { counted, formatNumber, formatShare } from '../figures.ts';
import { behind } from './drift-rules.ts';
import type { Asked, Found } from './find.ts';
import {
  type Compared,
  customersOf,
  LOST,
  lostRowsOf,
  nameIn,
  type Row,
  rowsOf,
  spendOfSome,
  totalOf,
} from './flows.ts';
import { LEAST_PAST_RUNS, sumOf, testRows } from './row-test.ts';

// Rules about who went where. Each asks twice: is it more than chance and the shop's own weather explain, and is
// it enough to matter. Without past runs to know the weather by they say nothing.

interface SizeChange {
  segmentId: string;
  before: number;
  now: number;
  /** Standard normal without a change. */
  z: number;
  /** Of the segment's share of the customers: 0.1 is a tenth more. */
  change: number;
  /** Customers it has more than had it kept its share. */
  surplus: number;
}

export function findSizeChanges(rule: AlertRuleOf<'size-change'>, { run, past, alpha }: Asked): Found[] {
  if (past.length < LEAST_PAST_RUNS) return [];
  const changes = sizeChanges(run).filter(({ segmentId }) => rule.segments?.includes(segmentId) ?? true);
  const dispersion = dispersionOf(past.flatMap(sizeChanges).map(({ z }) => z * z));
  const adjusted = benjaminiHochberg(changes.map(({ z }) => twoSidedNormal(z / Math.sqrt(dispersion))));
  return changes.flatMap(({ segmentId, before, now, change, surplus }, i): Found[] => {
    const isEnough = Math.abs(change) >= rule.atLeast && Math.abs(surplus) >= rule.leastCustomers;
    if (!(isEnough && adjusted[i]! < alpha)) return [];
    const all = [totalOf(run.previousSegments), totalOf(run.segments)] as const;
    const arrived = run.movements.filter(({ to }) => to === segmentId);
    const left = run.movements.filter(({ from }) => from === segmentId);
    const customers = Math.round(Math.abs(surplus));
    return [
      {
        subject: `${change > 0 ? 'grew' : 'shrank'}:${segmentId}`,
        ...{ magnitude: Math.abs(change), pValue: adjusted[i]! },
        title:
          `${nameIn(run, segmentId)} ${change > 0 ? 'grew' : 'shrank'} from ${formatShare(before / all[0])} to ` +
          `${formatShare(now / all[1])} of the customers: ${formatNumber(before)} then, ${formatNumber(now)} now`,
        details: [
          `${formatNumber(customersOf(arrived))} came${mostOf(run, arrived, 'from')}, ` +
            `${formatNumber(customersOf(left))} left${mostOf(run, left, 'to')}`,
          ...causesOf([...arrived, ...left]),
        ],
        customers,
        spendCents: spendOfSome(change > 0 ? arrived : left, customers),
        features: [...behind(run), ...typicalOf(run, segmentId)],
      },
    ];
  });
}

/** Of the segments that go on. */
function sizeChanges(run: Compared): SizeChange[] {
  const growth = totalOf(run.segments) / totalOf(run.previousSegments);
  if (!(growth > 0 && Number.isFinite(growth))) return [];
  return run.previousSegments.flatMap(({ segmentId, customers: before }): SizeChange[] => {
    const now = run.segments.find((one) => one.segmentId === segmentId)?.customers;
    if (now === undefined || before === 0) return [];
    const arrived = customersOf(run.movements.filter(({ to }) => to === segmentId));
    const left = customersOf(run.movements.filter(({ from }) => from === segmentId));
    if (left > before || arrived > now) return [];
    const surplus = now - before * growth;
    const z = netFlow({ before, now, arrived, left }, growth);
    return [{ segmentId, before, now, z, surplus, change: surplus / (before * growth) }];
  });
}

/** Customers of a segment who went other ways than those of past runs. */
export function findFlows(rule: AlertRuleOf<'flow'>, { run, past, alpha }: Asked): Found[] {
  const rows = only(rowsOf(run), rule.segments);
  const found = testRows(rows, past.map(rowsOf), alpha);
  return [...found].flatMap(([segmentId, test]): Found[] => {
    const row = rows.get(segmentId)!;
    const moved = Math.round(test.shiftedShare * sumOf(row));
    if (!(test.isSignificant && test.shiftedShare >= rule.atLeast && moved >= rule.leastCustomers)) return [];
    const { place, count, usual } = farthest(row, test.usual);
    const way = run.movements.filter(({ from, to }) => from === segmentId && (to ?? LOST) === place);
    return [
      {
        subject: `${wordOf(segmentId, place)}:${segmentId}`,
        ...{ magnitude: test.shiftedShare, pValue: test.adjustedPValue },
        title:
          `${formatShare(test.shiftedShare)} ${wayOf(run, segmentId, place)}: ` +
          `${formatNumber(count)} instead of about ${formatNumber(Math.round(usual))}`,
        details: causesOf(way),
        customers: moved,
        spendCents: place === segmentId ? null : spendOfSome(way, moved),
        features: [...behind(run), ...typicalOf(run, segmentId)],
      },
    ];
  });
}

/** More customers gone than in past runs: of all, or of one segment. */
export function findLost(rule: AlertRuleOf<'customers-lost'>, { run, past, alpha }: Asked): Found[] {
  const rows = only(lostRowsOf(run), rule.segments);
  const found = testRows(rows, past.map(lostRowsOf), alpha);
  return [...found].flatMap(([subject, test]): Found[] => {
    const row = rows.get(subject)!;
    const lost = row.get(LOST) ?? 0;
    const usual = test.usual.get(LOST) ?? 0;
    const more = lost / sumOf(row) - usual;
    const surplus = Math.round(more * sumOf(row));
    if (!(test.isSignificant && more >= rule.atLeast && surplus >= rule.leastCustomers)) return [];
    const gone = run.movements.filter(({ from, to }) => to === null && (subject === '' || from === subject));
    const whose = subject === '' ? 'all customers' : `the customers of ${nameIn(run, subject)}`;
    return [
      {
        ...{ subject, magnitude: more, pValue: test.adjustedPValue },
        title:
          `${formatShare(lost / sumOf(row))} of ${whose} are gone, ${formatShare(usual)} is usual: ` +
          `${formatNumber(lost)} instead of about ${formatNumber(Math.round(usual * sumOf(row)))}`,
        details: [],
        customers: surplus,
        spendCents: spendOfSome(gone, surplus),
        features: [...behind(run), ...typicalOf(run, subject)],
      },
    ];
  });
}

function only(rows: Map<string, Row>, segments: readonly string[] | undefined): Map<string, Row> {
  return segments ? new Map([...rows].filter(([subject]) => segments.includes(subject))) : rows;
}

/** The way whose share differs most from what is usual, rather one that is taken more than one that is taken less. */
function farthest(row: Row, usual: ReadonlyMap<string, number>) {
  const total = sumOf(row);
  const places = [...new Set([...row.keys(), ...usual.keys()])].sort();
  const ways = places.map((place) => ({
    place,
    count: row.get(place) ?? 0,
    usual: (usual.get(place) ?? 0) * total,
  }));
  return ways.reduce((best, way) => (way.count - way.usual > best.count - best.usual ? way : best));
}

/** The way is part of what an open alert is about: another one is news. */
function wordOf(segmentId: string, place: string): string {
  if (place === LOST) return 'gone';
  return place === segmentId ? 'stayed' : place;
}

function wayOf(run: Compared, segmentId: string, place: string): string {
  const whose = `of the customers of ${nameIn(run, segmentId)}`;
  if (place === segmentId) return `more ${whose} stayed than usual`;
  const most = place === LOST ? 'are not in this run' : `to ${nameIn(run, place)}`;
  return `${whose} went other ways than usual, most ${most}`;
}

function mostOf(run: Compared, ways: Compared['movements'], end: 'from' | 'to'): string {
  const sums = new Map<string | null, number>();
  for (const way of ways) sums.set(way[end], (sums.get(way[end]) ?? 0) + way.customers);
  const [most] = [...sums].sort((a, b) => b[1] - a[1] || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  if (!most) return '';
  const other =
    most[0] === null
      ? end === 'from'
        ? 'new customers'
        : 'customers who are gone'
      : `${end} ${nameIn(run, most[0])}`;
  return ` (${formatNumber(most[1])} ${other})`;
}

function causesOf(ways: Compared['movements']): string[] {
  const border = customersOf(ways.filter(({ cause }) => cause === 'border'));
  const byModel = customersOf(ways.filter(({ cause }) => cause === 'model'));
  return [
    ...(border > 0 ? [`${counted(border, 'move')} of these may be chance: so near to a border`] : []),
    ...(byModel > 0 ? [`${counted(byModel, 'move')} of these are the new model's doing`] : []),
  ];
}

function typicalOf({ segments, previousSegments }: Compared, segmentId: string): string[] {
  const found = [...segments, ...previousSegments].find((one) => one.segmentId === segmentId);
  return found ? found.typical.slice(0, 2) : [];
}
