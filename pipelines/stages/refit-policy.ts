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
  /** The refit opened last since the model was fitted; null for none. */
  lastRefit: { runId: string; asOf: string | null; outcome: Outcome | null } | null;
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
function obstacleTo({ settings: { pauseDays }, asOf, lastRefit }: RefitFacts): string | null {
  if (lastRefit === null) return null;
  const { runId, outcome } = lastRefit;
  if (outcome === null || outcome === 'held') return `refit ${runId} is open already: no other is started`;
  // A refit that failed may succeed the next time; one that a person did not want will not please them sooner.
  const isTurnedDown = outcome === 'rejected' || outcome === 'cancelled';
  if (!isTurnedDown || lastRefit.asOf === null) return null;
  const days = daysBetween(lastRefit.asOf, asOf);
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
