import { type AlertSettings, isOfRuns, type RunRule } from '../../contracts/alert-settings.ts';
import type { Finding, RunMeasurement } from '../../contracts/alerts.ts';
import { findDrift, findMixDrift } from './drift-rules.ts';
import { type Compared, isCompared } from './flows.ts';
import { findFlows, findLost, findSizeChanges } from './moves-rules.ts';
import { pastOf } from './past.ts';
import { significanceOf } from './significance.ts';
import { findSpendShares } from './spend-rule.ts';
import { findEvents, findLowStability, findQuestionable, findVerdict } from './state-rules.ts';

/** What a rule is asked about. */
export interface Asked {
  run: Compared;
  /** Past publications that looked back about as far, oldest first. */
  past: readonly Compared[];
  /** Share of runs without a change in which the rule may speak. */
  alpha: number;
  currency: string;
}

/** What a rule answers; who is told is the rule's, and added here. */
export type Found = Omit<Finding, 'rule' | 'kind' | 'severity' | 'owner' | 'channels' | 'worseBy'>;

/**
 * All that the rules have to say of a run, in the order of the rules. The first publication of a pipeline is
 * compared with nothing, and nothing is said of it.
 *
 * @param past measurements of earlier publications, oldest first
 */
export function findAlerts(
  run: RunMeasurement,
  {
    past,
    settings,
    currency,
  }: { past: readonly RunMeasurement[]; settings: AlertSettings; currency: string },
): Finding[] {
  if (!isCompared(run)) return [];
  const { runs, scaled, says } = pastOf(run, past, settings.baselineRuns);
  const budgeted = significanceOf(settings, [...runs, run]);
  return settings.rules.filter(isOfRuns).flatMap((rule) => {
    const alpha = 'significance' in rule ? (rule.significance ?? budgeted) : budgeted;
    const beside = (runs: readonly Compared[]) => ask(rule, { run, past: runs, alpha, currency });
    const isAlike = scaled === null || !ASKS_THE_PAST.includes(rule.kind);
    const found = isAlike ? beside(runs) : foundInBoth(beside(runs), { others: beside(scaled), says });
    return found.map((one) => findingOf(rule, one));
  });
}

const ASKS_THE_PAST: readonly RunRule['kind'][] = ['size-change', 'flow', 'customers-lost', 'spend-share'];

/** The milder of each two: what is told is what neither past runs as they were nor as they might have been explain. */
function foundInBoth(
  found: readonly Found[],
  { others, says }: { others: readonly Found[]; says: string | null },
): Found[] {
  return found.flatMap((one): Found[] => {
    const other = others.find(({ subject }) => subject === one.subject);
    if (!other) return [];
    const milder = other.magnitude < one.magnitude ? other : one;
    return [{ ...milder, details: [...milder.details, ...(says === null ? [] : [says])] }];
  });
}

export function findingOf(rule: RunRule, found: Found): Finding {
  const { name, kind, severity, owner = null, channels = null, worseBy } = rule;
  return { rule: name, kind, severity, owner, channels, worseBy, ...found };
}

function ask(rule: RunRule, asked: Asked): Found[] {
  switch (rule.kind) {
    case 'size-change':
      return findSizeChanges(rule, asked);
    case 'flow':
      return findFlows(rule, asked);
    case 'customers-lost':
      return findLost(rule, asked);
    case 'spend-share':
      return findSpendShares(rule, asked);
    case 'feature-drift':
      return findDrift(rule, asked);
    case 'mix-drift':
      return findMixDrift(rule, asked);
    case 'questionable-names':
      return findQuestionable(rule, asked);
    case 'segment-events':
      return findEvents(rule, asked);
    case 'verdict':
      return findVerdict(rule, asked);
    case 'stability':
      return findLowStability(rule, asked);
  }
}
