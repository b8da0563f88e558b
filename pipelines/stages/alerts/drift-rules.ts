import { benjaminiHochberg } from '../../../numeric/statistics/false-discovery.ts';
import { chiSquareQuantile, chiSquareShare } from '../../../numeric/statistics/gamma.ts';
import type { AlertRuleOf } from '../../contracts/alert-settings.ts';
import type { RunMeasurement } from '../../contracts/alerts.ts';
import { featureLabel } from '../figures.ts';
import type { Asked, Found } from './find.ts';
import { totalOf } from './flows.ts';

// PSI is kept with its critical value at 5 %, not with its p-value: the p-value follows from both and the degrees
// of freedom. Those of features are not kept; ten bins have nine, columns of few values fewer, and fewer ask for more.

const KEPT_ALPHA = 0.05;
const DEGREES_OF_FEATURES = 4;

/** A model is also the published one of runs that only assigned by it: the two figures have references of their own. */
const PSI_REFERENCE = 'PSI is beside the customers that the last publication’s model was fitted to';

/** Figures that moved both by more than chance has it, and far enough to matter. */
export function findDrift(rule: AlertRuleOf<'feature-drift'>, { run, alpha }: Asked): Found[] {
  const drifts = driftsOf(run, 'psi', DEGREES_OF_FEATURES).filter(
    ({ subject }) => rule.features?.includes(subject) ?? true,
  );
  const adjusted = benjaminiHochberg(drifts.map(({ pValue }) => pValue));
  return drifts.flatMap(({ subject, psi }, i): Found[] => {
    const pValue = adjusted[i]!;
    if (!(psi >= rule.atLeast && pValue < alpha)) return [];
    return [
      {
        ...{ subject, magnitude: psi, pValue },
        title: `the customers' ${featureLabel(subject)} shifted: PSI ${psi.toFixed(2)}, told from ${rule.atLeast}`,
        details: [PSI_REFERENCE, ...wassersteinOf(run, subject)],
        customers: totalOf(run.segments),
        spendCents: null,
        features: behind(run),
      },
    ];
  });
}

/** The sizes of segments, by the last model on both sides: the customers' doing, not the new model's. */
export function findMixDrift(rule: AlertRuleOf<'mix-drift'>, { run, alpha }: Asked): Found[] {
  const degrees = run.previousSegments.length - 1;
  return driftsOf(run, 'psi-mix', degrees).flatMap(({ psi, pValue }): Found[] => {
    if (!(psi >= rule.atLeast && pValue < alpha)) return [];
    return [
      {
        ...{ subject: '', magnitude: psi, pValue },
        title: `the mix of segments shifted: PSI ${psi.toFixed(2)}, told from ${rule.atLeast}`,
        details: ['by the last model on both sides, so that it is the customers who changed'],
        customers: totalOf(run.segments),
        spendCents: null,
        features: behind(run),
      },
    ];
  });
}

const MOST_FEATURES = 3;

/** The features that moved most, beyond chance, as `orders (PSI 0.12)`. */
export function behind(run: RunMeasurement): string[] {
  return driftsOf(run, 'psi', DEGREES_OF_FEATURES)
    .filter(({ pValue }) => pValue < KEPT_ALPHA)
    .sort((a, b) => b.psi - a.psi || (a.subject < b.subject ? -1 : 1))
    .slice(0, MOST_FEATURES)
    .map(({ subject, psi }) => `${featureLabel(subject)} (PSI ${psi.toFixed(2)})`);
}

interface Drift {
  subject: string;
  psi: number;
  pValue: number;
}

function driftsOf({ metrics }: RunMeasurement, metric: 'psi' | 'psi-mix', degrees: number): Drift[] {
  if (degrees < 1) return [];
  const scale = chiSquareQuantile(1 - KEPT_ALPHA, degrees);
  return metrics
    .filter((one) => one.metric === `${metric}-significance`)
    .flatMap(({ subject, value, threshold }): Drift[] => {
      if (value === null || threshold === null || !(threshold > 0)) return [];
      const pValue = Math.max(0, 1 - chiSquareShare((value / threshold) * scale, degrees));
      return [{ subject, psi: value, pValue }];
    });
}

function wassersteinOf({ metrics }: RunMeasurement, subject: string): string[] {
  const value = metrics.find((one) => one.metric === 'wasserstein' && one.subject === subject)?.value ?? null;
  if (value === null) return [];
  return [`values lie ${value.toFixed(2)} standard deviations from those of the last publication`];
}
