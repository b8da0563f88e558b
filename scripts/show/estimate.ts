import type { Stage } from '../../pipelines/contracts/run.ts';
import { thousands } from '../terminal.ts';

// How long still: from how far the stage says it is, and from how long each stage took in past runs of the pipeline,
// corrected by how much slower or faster this run has been than they were.

/** How long stages take in published runs of the pipeline. */
export interface Usual {
  ms: Readonly<Partial<Record<Stage, number>>>;
  /** Runs this is known from; 0: none. */
  runs: number;
}

export interface Going {
  stage: Stage;
  elapsedMs: number;
  /** As the activity's heartbeat says it; `of` is 0 where it does not. */
  done: number;
  of: number;
  /** What it counts, where that is to be said. */
  unit?: 'parts';
}

/** `25 of 100`, `4 of 8 parts`. */
export function howFar({ done, of, unit }: Going): string {
  return `${thousands(Math.floor(done))} of ${thousands(of)}${unit ? ` ${unit}` : ''}`;
}

export interface Estimate {
  /** Of the stage that is going on; null: nothing to tell it by. */
  stageLeftMs: number | null;
  /** Of the whole run. */
  leftMs: number | null;
  /** How long the stage usually takes, at this run's pace. */
  usualMs: number | null;
  basis: 'pace' | 'past' | 'both' | null;
}

/** A stage shorter than this says more about the machine's mood than about the size of the run. */
const TELLING_MS = 50;
const SLOWEST = 8;
/** Before a fiftieth is done, what is left is anybody's guess. */
const TELLING_SHARE = 0.02;

export function estimate(asked: {
  /** Of the run, in order. */
  stages: readonly Stage[];
  doneMs: Readonly<Partial<Record<Stage, number>>>;
  going: Going | null;
  usual: Usual;
}): Estimate {
  const { stages, doneMs, going, usual } = asked;
  const pace = paceOf(doneMs, usual);
  const now = going && ofStage(going, usual.ms[going.stage], pace);
  const ahead = stages.filter((stage) => doneMs[stage] === undefined && stage !== going?.stage);
  // Between two stages, or before the first one, all that is not done is ahead.
  const isKnown = ahead.every((stage) => usual.ms[stage] !== undefined) && usual.runs > 0;
  const restMs = isKnown ? ahead.reduce((sum, stage) => sum + usual.ms[stage]! * pace, 0) : null;
  const stageLeftMs = now?.leftMs ?? null;
  const leftMs =
    restMs === null || (now !== null && stageLeftMs === null) ? null : restMs + (stageLeftMs ?? 0);
  return {
    stageLeftMs,
    leftMs,
    usualMs: now?.usualMs ?? null,
    basis: now?.basis ?? (isKnown ? 'past' : null),
  };
}

/** How many times as long as usual this run takes. */
function paceOf(doneMs: Readonly<Partial<Record<Stage, number>>>, usual: Usual): number {
  let own = 0;
  let theirs = 0;
  for (const [stage, ms] of Object.entries(doneMs)) {
    const known = usual.ms[stage as Stage];
    if (known === undefined || known < TELLING_MS) continue;
    own += ms;
    theirs += known;
  }
  return theirs === 0 ? 1 : Math.min(SLOWEST, Math.max(1 / SLOWEST, own / theirs));
}

function ofStage({ elapsedMs, done, of }: Going, known: number | undefined, pace: number) {
  const share = of > 0 ? Math.min(1, done / of) : 0;
  const byPace = share >= TELLING_SHARE ? (elapsedMs * (1 - share)) / share : null;
  const usualMs = known === undefined ? null : known * pace;
  if (usualMs === null) return { leftMs: byPace, usualMs, basis: byPace === null ? null : ('pace' as const) };
  // The further it is, the more its own pace counts.
  if (byPace !== null)
    return { leftMs: share * byPace + (1 - share) * usualMs * (1 - share), usualMs, basis: 'both' as const };
  // One that takes longer than usual will end some time: when, the past does not tell.
  const leftMs = elapsedMs < usualMs ? usualMs - elapsedMs : null;
  return { leftMs, usualMs, basis: leftMs === null ? null : ('past' as const) };
}
