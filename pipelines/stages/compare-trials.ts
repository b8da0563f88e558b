import { drawNull, fitNullModel } from '../../numeric/cluster/choice/null-model.ts';
import { type Points, pointsOf } from '../../numeric/cluster/choice/valleys.ts';
import { stratifiedSample } from '../../numeric/compare/silhouette.ts';
import { type Matrix, takeRows } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import type { ComparePlan } from '../contracts/compare.ts';
import type { Trials } from './compare-stability.ts';
import { type RuleGridParameters, ruleGridLabels } from './rule-grid.ts';

export interface TrialsPlan {
  plan: Pick<ComparePlan, 'sampleRows' | 'trialRows' | 'nullDraws'>;
  seed: number;
  /** Customers of every cell are scored; null: a plain sample. */
  grid: RuleGridParameters | null;
}

/** Customers that are scored, ascending: the same for every candidate. */
export function scoredRows(X: Matrix, { plan, seed, grid }: TrialsPlan): Int32Array {
  const strata = grid === null ? new Uint8Array(X.rows) : ruleGridLabels(X, grid);
  return stratifiedSample(strata, plan.sampleRows, createRandom(seed).fork('compare').fork('scored'));
}

/** What every candidate is tried on; equal inputs give equal trials, in whatever thread they are made. */
export async function createTrials(X: Matrix, given: TrialsPlan): Promise<Trials> {
  const { plan, seed } = given;
  const scored = scoredRows(X, given);
  const random = createRandom(seed).fork('compare');
  const places = random.fork('trial').sample(scored.length, Math.min(plan.trialRows, scored.length));
  const trial = places.map((at) => scored[at]!);
  const model = await fitNullModel(takeRows(X, trial), random.fork('null model'));
  const nulls: Matrix[] = [];
  const ofNulls: Points[] = [];
  for (let draw = 0; draw < plan.nullDraws; draw++) {
    const drawn = await drawNull(model, random.fork('null').fork(draw));
    nulls.push(drawn);
    ofNulls.push(await pointsOf(drawn, random.fork('null points').fork(draw)));
  }
  const points = { scored: await pointsOf(takeRows(X, scored), random.fork('points')), nulls: ofNulls };
  return { all: X, scored, trial, nulls, points };
}
