import type { Random } from '../../numeric/random/random.ts';

// What is done to a run, drawn from a seed. Moments are told by the activity that is going on, since a run that stands
// still for half a minute after one fault would otherwise never meet the next one in its later stages.

/** How often each is drawn, and what it is in words. */
export const FAULTS = {
  worker: { weight: 4, says: 'kill -9 of a worker' },
  postgres: { weight: 4, says: 'kill -9 of PostgreSQL' },
  temporal: { weight: 3, says: "kill -9 of Temporal's server" },
  s3: { weight: 4, says: 'kill -9 of the S3 gateway' },
  sessions: { weight: 2, says: "all of PostgreSQL's sessions ended" },
  lines: { weight: 3, says: 'all connections of the workers cut' },
  disk: { weight: 2, says: 'disk of the artifacts full' },
} as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

export interface Fault {
  kind: FaultKind;
  /** Not before this activity of the run. */
  activity: string;
  /** After it was seen to go on, or after the fault before it in the same activity. */
  afterMs: number;
  /** Of what ends by itself: a cut, a full disk; how long a worker or the S3 gateway stays away. */
  forMs: number;
  /** In [0, 1): which one, where there are several. */
  which: number;
}

/** An activity of an undisturbed run. */
export interface Step {
  activity: string;
  ms: number;
  /** From when the first one of its name was scheduled: parts come several at once and one after another. */
  sinceFirstMs: number;
}

const LEAST_PER_RUN = 2;
const MOST_PER_RUN = 6;
const LONGEST_MS = 4_000;
/** Some come one on top of the other, into what the one before has left. */
const TOGETHER_SHARE = 0.25;

/**
 * Two to six faults for a run, in the order of their moments. Every activity is as likely to be hit as any other,
 * however short it is.
 */
export function drawFaults(random: Random, steps: readonly Step[], kinds: readonly FaultKind[]): Fault[] {
  const length = LEAST_PER_RUN + random.int(MOST_PER_RUN - LEAST_PER_RUN + 1);
  const moments = Array.from({ length }, () => momentIn(random, steps)).sort(
    (a, b) => a.step - b.step || a.afterMs - b.afterMs,
  );
  return moments.map((moment, i) => {
    const isTogether = i > 0 && random.float() < TOGETHER_SHARE;
    const { step } = isTogether ? moments[i - 1]! : moment;
    return {
      kind: drawKind(random, kinds),
      activity: steps[step]!.activity,
      afterMs: isTogether ? 0 : moment.afterMs,
      forMs: Math.round(random.float() * LONGEST_MS),
      which: random.float(),
    };
  });
}

function momentIn(random: Random, steps: readonly Step[]): { step: number; afterMs: number } {
  const { activity, ms, sinceFirstMs } = steps[random.int(steps.length)]!;
  const step = steps.findIndex((each) => each.activity === activity);
  return { step, afterMs: Math.round(sinceFirstMs + random.float() * ms) };
}

function drawKind(random: Random, kinds: readonly FaultKind[]): FaultKind {
  const total = kinds.reduce((sum, kind) => sum + FAULTS[kind].weight, 0);
  let left = random.int(total);
  for (const kind of kinds) {
    left -= FAULTS[kind].weight;
    if (left < 0) return kind;
  }
  throw new RangeError('a fault needs at least one kind to be drawn from');
}
