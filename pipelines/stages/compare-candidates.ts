import { CONTENDERS } from '../../numeric/cluster/algorithms.ts';
import { PipelineError } from '../contracts/errors.ts';
import { RULE_GRID } from './rule-grid.ts';

/** Everything that a comparison can try, in the order of the leaderboard before there are scores. */
export const CANDIDATES: readonly { readonly name: string; readonly title: string }[] = [
  RULE_GRID,
  ...CONTENDERS,
];

/** @throws PipelineError INPUT_INVALID for a candidate that there is not, naming those that there are */
export function refuseUnknownCandidates(asked: readonly string[] | undefined): void {
  const names = CANDIDATES.map(({ name }) => name);
  const unknown = (asked ?? []).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  const words = unknown.map((name) => JSON.stringify(name)).join(', ');
  throw new PipelineError(
    'INPUT_INVALID',
    `comparison input: candidates: ${words} not known; there are ${names.join(', ')}`,
  );
}
