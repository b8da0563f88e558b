import { z } from 'zod';
import type { ArtifactRef } from './artifacts.ts';
import { inputFaults } from './input-faults.ts';
import type { Run, RunKind, Stage, StageReport } from './run.ts';
import type {
  Clustering,
  Extract,
  Features,
  Match,
  Naming,
  NoClustering,
  Stability,
  Timed,
  Validation,
} from './stages.ts';

// A reproduction computes a run again, from its kept extract, and compares every digest. It changes nothing of the run,
// publishes nothing, and no record of runs knows it.

/** What a person may send: one JSON object, every field optional. */
export interface ReproduceInput {
  /** Id of the run; default: the one that is published. */
  run?: string;
  /** Without a run: of this pipeline; default `shop`. */
  pipeline?: string;
}

const reproduceInput = z.strictObject({
  run: z.string().min(1).max(100).optional(),
  pipeline: z.string().min(1).max(40).optional(),
});

/** @throws PipelineError INPUT_INVALID naming each field, what was expected, and the fields there are */
export function parseReproduceInput(input: unknown): z.infer<typeof reproduceInput> {
  const result = reproduceInput.safeParse(input ?? {});
  if (result.success) return result.data;
  const { error } = result;
  throw inputFaults('reproduction input', { sent: input, error, fields: Object.keys(reproduceInput.shape) });
}

/** The stages that are computed again. The others read the source, or write what readers see. */
export const REPRODUCED_STAGES = [
  'validate',
  'profile',
  'features',
  'cluster',
  'assign',
  'match',
  'name',
  'stability',
] as const satisfies readonly Stage[];
export type ReproducedStage = (typeof REPRODUCED_STAGES)[number];

/** What a reproduction goes by: the run as its stages were told of it, and what was known then. */
export interface Reproduction {
  /** Owner of all that the reproduction writes. */
  reproductionId: string;
  run: Run;
  extract: Extract;
  /** Of the run, its words: each stage's inputs and results are read from it. */
  history: ArtifactRef;
  manifest: ArtifactRef;
  /** The publication that the run was compared with; null for none. */
  basePublicationId: number | null;
  /** ISO time at which the run was named: names in force then are those that it found. */
  namedAt: string;
  /** Those of the run's stages that are computed again, in its order. */
  stages: ReproducedStage[];
  code: CodeVersions;
}

export interface CodeVersions {
  /** Of the run, as its manifest says. */
  before: string;
  now: string;
}

/** Beginning, or that there is nothing to begin with. */
export interface OpenedReproduction {
  reproductionId: string;
  runId: string;
  kind: RunKind;
  pipeline: string;
  asOf: string | null;
  /** Null: it cannot be reproduced, as `reasons` say. */
  reproduction: Reproduction | null;
  reasons: string[];
  /** Kept files that are not what their names say. */
  damaged: Difference[];
  /** Files that are not kept any more. */
  notes: string[];
}

/** Something that is not as the manifest says. */
export interface Difference {
  /** `run`: what the run was made of; `result`: what its manifest says beside digests. */
  stage: Stage | 'run' | 'result';
  /** Of the stage: `labels`; of the run: `seed`; of the result: `verdicts.k`. */
  product: string;
  /** Digest or value; null where there was or is none. */
  before: string | null;
  now: string | null;
  /** Where in the file, where that can be said: columns, or paths of JSON. */
  where: string[];
  /** Why, where that can be said. */
  why: string | null;
}

/** What the stages made that were computed again, as far as later ones ask for it. */
export interface MadeAgain {
  validation?: Validation;
  features?: Features;
  clustering?: Clustering | NoClustering;
  match?: Match;
  naming?: Naming;
  stability?: Stability;
}

/** Digests of a stage that was computed again. */
export type StageDigests = Pick<StageReport, 'stage' | 'digests'>;

export interface StageAgain extends Timed {
  made: MadeAgain;
  digests: Record<string, string>;
  /** Digests that were compared with those of the run. */
  compared: number;
  differences: Difference[];
}

export type ReproductionVerdict = 'reproduced' | 'differs' | 'cannot';

/** The workflow's result. */
export interface ReproductionSummary {
  runId: string;
  kind: RunKind;
  pipeline: string;
  asOf: string | null;
  /**
   * `reproduced`: every digest and figure is as the manifest says; `differs`: some are not, see `differences`; `cannot`:
   * it could not be computed again, see `reasons`.
   */
  verdict: ReproductionVerdict;
  reasons: string[];
  /** Digests of all that makes bytes; null where it never came so far. */
  code: CodeVersions | null;
  stages: { stage: Stage; ms: number; compared: number; differing: number }[];
  differences: Difference[];
  /** What was noticed beside: files that are not kept any more, products that only today's code makes. */
  notes: string[];
  workflow: Run['workflow'];
}

/** Activities of `reproduceRun`. */
export interface ReproduceStages {
  /** Finds the run, and whether all is there that it takes. */
  openReproduction(input: { input: ReproduceInput; workflow: Run['workflow'] }): Promise<OpenedReproduction>;
  /** One stage of the run, computed again on what the stages before it made, and compared. */
  reproduceStage(input: {
    reproduction: Reproduction;
    stage: ReproducedStage;
    made: MadeAgain;
    /** Stages before it that came to something else. */
    differing: Stage[];
  }): Promise<StageAgain>;
  /** The manifest that the run would have today, beside the one that it has. */
  compareManifests(input: {
    reproduction: Reproduction;
    made: MadeAgain;
    digests: StageDigests[];
  }): Promise<{ differences: Difference[] }>;
  /** Lets go of all that the reproduction wrote; what the run has too stays. */
  closeReproduction(input: { workflow: Run['workflow'] }): Promise<void>;
}

/** Answer of the reproduction's `progress` query. */
export interface ReproduceProgress {
  runId: string | null;
  pipeline: string | null;
  asOf: string | null;
  verdict: 'running' | ReproductionVerdict | 'failed' | 'cancelled';
  reasons: string[];
  /** Null at the beginning and at the end. */
  stage: Stage | null;
  /** Stages that are computed again. */
  stages: Stage[];
  done: { stage: Stage; ms: number; says: string }[];
  unknownSignals: string[];
}
