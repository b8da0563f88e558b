import type {
  Outcome,
  Quality,
  Run,
  RunCounts,
  SegmentSummary,
  Stage,
  StageReport,
  Verdict,
} from '../contracts/run.ts';
import type { Closing } from '../contracts/stages.ts';

/**
 * What a run was made of and what it made. It names nothing that differs between two runs over the same
 * extract, definition, seed and code: no run id, no time, no duration, no path, no reviewer's words. So two
 * manifests are compared by their digest alone.
 */
export interface Manifest {
  manifest: 1;
  pipeline: string;
  kind: Run['kind'];
  asOf: string | null;
  seed: number;
  codeVersion: string;
  /** Digest of the definition with its contract. */
  definition: string;
  /** The number of segments that a person decided on; absent where it was chosen from the data. */
  fixedK?: number;
  /** Digest of the released rows that joined; absent where no release was in force. */
  releases?: string;
  /** Digest of the model that was applied; absent where one was fitted. */
  champion?: string;
  counts: RunCounts;
  /** Each stage the run came through, in order, with the digests of its products. */
  stages: { stage: Stage; digests: Record<string, string> }[];
  verdicts: {
    outcome: Outcome;
    stability: Verdict | null;
    clustering: Quality['verdict'] | null;
    k: number | null;
  };
  segments: { segmentId: string; name: string; customers: number }[];
}

/** What a manifest takes of a closing. */
type Told = Pick<Closing, 'asOf' | 'counts' | 'outcome' | 'verdict' | 'k'> & {
  stages: readonly Pick<StageReport, 'stage' | 'digests'>[];
  quality: Pick<Quality, 'verdict'> | null;
  segments: readonly Pick<SegmentSummary, 'segmentId' | 'name' | 'customers'>[];
};

/** The manifest of a run that ends as `closing` says. */
export function buildManifest({
  run,
  closing,
  codeVersion,
}: {
  run: Run;
  closing: Told;
  codeVersion: string;
}): Manifest {
  return {
    manifest: 1,
    pipeline: run.pipeline,
    kind: run.kind,
    asOf: closing.asOf,
    seed: run.seed,
    codeVersion,
    definition: run.definition.sha256,
    ...(run.k != null && { fixedK: run.k }),
    ...(run.releases && { releases: run.releases.sha256 }),
    ...(run.champion && { champion: run.champion.model.sha256 }),
    counts: closing.counts,
    stages: closing.stages.map(({ stage, digests }) => ({ stage, digests })),
    verdicts: {
      outcome: closing.outcome,
      stability: closing.verdict,
      clustering: closing.quality?.verdict ?? null,
      k: closing.k,
    },
    segments: closing.segments.map(({ segmentId, name, customers }) => ({ segmentId, name, customers })),
  };
}
