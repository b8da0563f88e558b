import { benjaminiHochberg } from '../../../numeric/statistics/false-discovery.ts';
import { twoSidedStudent } from '../../../numeric/statistics/student.ts';
import type { AlertRuleOf } from '../../contracts/alert-settings.ts';
import { formatShare } from '../figures.ts';
import { behind } from './drift-rules.ts';
import type { Asked, Found } from './find.ts';
import { type Compared, customersOf, nameIn, spendOf } from './flows.ts';

/** Money lies with few customers, so that a share of it swings: what is usual takes more runs to know. */
const LEAST_PAST_CHANGES = 6;

/** A segment's share of the spend, changed by more than it does from run to run. */
export function findSpendShares(rule: AlertRuleOf<'spend-share'>, { run, past, alpha }: Asked): Found[] {
  const tested = changesOf(run)
    .filter(({ segmentId }) => rule.segments?.includes(segmentId) ?? true)
    .flatMap((change) => {
      const earlier = past.flatMap(changesOf).filter(({ segmentId }) => segmentId === change.segmentId);
      if (earlier.length < LEAST_PAST_CHANGES) return [];
      const usual = Math.sqrt(
        earlier.reduce((sum, { before, now }) => sum + (now - before) ** 2, 0) / earlier.length,
      );
      const size = Math.abs(change.now - change.before);
      const pValue = size === 0 ? 1 : twoSidedStudent(size / usual, earlier.length);
      return [{ ...change, size, usual, pValue }];
    });
  const adjusted = benjaminiHochberg(tested.map(({ pValue }) => pValue));
  return tested.flatMap(({ segmentId, before, now, size, usual }, i): Found[] => {
    if (!(size >= rule.atLeast && adjusted[i]! < alpha)) return [];
    const moves = run.movements.filter(({ from, to }) => from === segmentId || to === segmentId);
    return [
      {
        subject: `${now > before ? 'rose' : 'fell'}:${segmentId}`,
        ...{ magnitude: size, pValue: adjusted[i]! },
        title: `${nameIn(run, segmentId)} makes ${formatShare(now)} of the spend, ${formatShare(before)} before`,
        details: [
          `from run to run it changes by ${formatShare(usual)} as a rule`,
          ...(moves.length > 0
            ? ['the customers and the money are of those who came and those who left']
            : []),
        ],
        customers: moves.length > 0 ? customersOf(moves) : null,
        spendCents: spendOf(moves),
        features: behind(run),
      },
    ];
  });
}

interface Change {
  segmentId: string;
  before: number;
  now: number;
}

function changesOf({ segments, previousSegments }: Compared): Change[] {
  return previousSegments.flatMap(({ segmentId, spendShare: before }): Change[] => {
    const now = segments.find((one) => one.segmentId === segmentId)?.spendShare ?? null;
    return before === null || now === null ? [] : [{ segmentId, before, now }];
  });
}
