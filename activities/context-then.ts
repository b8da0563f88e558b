import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Reproduction } from '../pipelines/contracts/reproduce.ts';
import type { AboutArtifact } from '../store/artifacts/artifact-store.ts';
import type { ActivityContext } from './context.ts';

export interface ContextThen {
  context: ActivityContext;
  /** Whether the run has a result of the very same inputs under the code of then; it is looked for, and never used. */
  hadSameInputs(): boolean;
}

/**
 * The stores as the run found them, for its own stages: what was published then, under the names of then, the ids that
 * were given by then. What the stages write belongs to the reproduction, and goes with it; no row is written.
 */
export async function contextThen(
  context: ActivityContext,
  { reproductionId, run, basePublicationId, namedAt, code }: Reproduction,
): Promise<ContextThen> {
  const { artifacts, repositories, codeVersion: now } = context;
  const { past } = repositories;
  const base =
    basePublicationId === null
      ? null
      : await past.publicationAt({ publicationId: basePublicationId, foundBy: run.runId, at: namedAt });
  if (base === null && basePublicationId !== null) {
    throw new PipelineError(
      'RUN_UNKNOWN',
      `run ${run.runId} was compared with publication ${basePublicationId}, which is not there any more`,
      { publicationId: basePublicationId },
    );
  }
  const own = <A extends AboutArtifact>(about: A): A => ({ ...about, runId: reproductionId });
  let hasSameInputs = false;
  return {
    hadSameInputs: () => hasSameInputs,
    context: {
      ...context,
      // Part of the keys alone: they tell whether the inputs are those of then.
      codeVersion: code.before,
      artifacts: {
        ...artifacts,
        write: (kind, bytes, about) => artifacts.write(kind, bytes, own(about)),
        take: (kind, about, produce) => artifacts.take(kind, own(about), produce),
        async readStep(runId, stage, key) {
          hasSameInputs = (await artifacts.readStep(runId, stage, key)) !== null;
          return artifacts.readStep(reproductionId, stage, keyNow(key, now));
        },
        writeStep: (_, stage, key, result) =>
          artifacts.writeStep(reproductionId, stage, keyNow(key, now), result),
        release: async () => ({ removed: 0, bytes: 0 }),
      },
      repositories: {
        ...repositories,
        publications: {
          ...repositories.publications,
          current: async () => base,
          before: async () => base,
          asOfCurrent: async () => base?.asOf ?? null,
        },
        segmentations: {
          ...repositories.segmentations,
          idsOf: () => past.segmentIdsBefore(run.runId),
        },
        runs: { ...repositories.runs, describeExtract: async () => ({ version: 1 }) },
        stages: { ...repositories.stages, record: async () => undefined },
        stability: { ...repositories.stability, save: async () => undefined },
      },
    },
  };
}

/** An attempt by a worker with other code must not take up what this one began. */
function keyNow(key: string, codeVersion: string): string {
  return `${key}-${codeVersion.slice(0, 16)}`;
}
