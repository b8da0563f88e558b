import type { RefitSettings } from '../contracts/refit-settings.ts';
import type { Outcome, Verdict } from '../contracts/run.ts';
import { formatNumber, formatShare } from './figures.ts';

// Whether a model has served its time. By as-of dates, not by the clock: a run over the past decides as it would
// have then.

export interface RefitFacts {
  settings: RefitSettings;
  /** ISO dates. */
  asOf: string;
  fittedAsOf: string;
  verdict: Verdict;
  /** Null where the model did not learn how far its segments reach. */
  novelShare: number | null;
  /** What there is already; each null for none. */
  refits: {
    /** One that has not ended. */
    open: { runId: string } | null;
    /** One of the same as-of date that neither failed nor was cancelled. */
    ofDate: { runId: string; outcome: Outcome } | null;
    /** The newest that a person turned down since the model was fitted. */
    turnedDown: { runId: string; asOf: string; outcome: 'rejected' | 'cancelled' } | null;
  };
}

export interface RefitDecision {
  due: boolean;
  /** Whether the run is to start it. */
  start: boolean;
  /** Sentences without full stop. */
  reasons: string[];
}

/** The reasons are those for a refit; where there is none, what was looked at. */
export function decideRefit(facts: RefitFacts): RefitDecision {
  const found = [age(facts), drift(facts), novelty(facts)].filter((finding) => finding !== null);
  const calls = found.filter(({ isCall }) => isCall);
  const due = calls.length > 0;
  const reasons = (due ? calls : found).map(({ says }) => says);
  if (!due || !facts.settings.start) return { due, start: false, reasons };
  const obstacle = obstacleTo(facts);
  return { due, start: obstacle === null, reasons: obstacle === null ? reasons : [...reasons, obstacle] };
}

interface Finding {
  isCall: boolean;
  says: string;
}

function age({ settings: { maximumAgeDays }, asOf, fittedAsOf }: RefitFacts): Finding | null {
  if (maximumAgeDays === null) return null;
  const days = daysBetween(fittedAsOf, asOf);
  const says = `the model is ${daysOf(days)} old, fitted as of ${fittedAsOf} (at most ${formatNumber(maximumAgeDays)})`;
  return { isCall: days > maximumAgeDays, says };
}

function drift({ settings: { onDrift }, verdict }: RefitFacts): Finding | null {
  if (!onDrift) return null;
  return { isCall: verdict === 'drifted' || verdict === 'unstable', says: `the verdict is ${verdict}` };
}

function novelty({ settings: { maximumNovelShare }, novelShare }: RefitFacts): Finding | null {
  if (novelShare === null) return null;
  const says = `${formatShare(novelShare)} of the customers are unlike any segment (at most ${formatShare(maximumNovelShare)})`;
  return { isCall: novelShare > maximumNovelShare, says };
}

/** Why a refit that is due is left to a person; null: nothing is in its way. */
function obstacleTo({ settings: { pauseDays }, asOf, refits }: RefitFacts): string | null {
  const { open, ofDate, turnedDown } = refits;
  if (open !== null) return `refit ${open.runId} is open already: no other is started`;
  // A refit that failed may succeed the next time.
  if (ofDate !== null)
    return `refit ${ofDate.runId} as of ${asOf} is ${ofDate.outcome} already: no other of that date is started`;
  // One that a person did not want will not please them sooner.
  if (turnedDown === null) return null;
  const { runId, outcome } = turnedDown;
  const days = daysBetween(turnedDown.asOf, asOf);
  if (days < 0 || days >= pauseDays) return null;
  return `refit ${runId} was ${outcome} ${daysOf(days)} before: none is started within ${daysOf(pauseDays)}`;
}

const DAY_MS = 86_400_000;

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

function daysOf(count: number): string {
  return `${formatNumber(count)} ${count === 1 ? 'day' : 'days'}`;
}
