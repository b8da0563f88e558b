import type { AlertRule, AlertSettings } from '../../contracts/alert-settings.ts';
import type { Finding, RunMeasurement } from '../../contracts/alerts.ts';
import { findDrift, findMixDrift } from './drift-rules.ts';
import { type Compared, comparablePast, isCompared } from './flows.ts';
import { findFlows, findLost, findSizeChanges } from './moves-rules.ts';
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
  const comparable = comparablePast(run, past, settings.baselineRuns);
  const budgeted = significanceOf(settings, [...comparable, run]);
  return settings.rules.flatMap((rule) => {
    const alpha = 'significance' in rule ? (rule.significance ?? budgeted) : budgeted;
    return ask(rule, { run, past: comparable, alpha, currency }).map((found) => findingOf(rule, found));
  });
}

export function findingOf(rule: AlertRule, found: Found): Finding {
  const { name, kind, severity, owner = null, channels = null, worseBy } = rule;
  return { rule: name, kind, severity, owner, channels, worseBy, ...found };
}

function ask(rule: AlertRule, asked: Asked): Found[] {
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
