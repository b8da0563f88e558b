import { proxyActivities } from '@temporalio/workflow';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import {
  type FeaturePart,
  MOST_MEMBERSHIP_PARTS,
  type PartedRun,
  type PartStages,
} from '../pipelines/contracts/parts.ts';
import { COMPUTE } from '../pipelines/contracts/policies.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Scale } from '../pipelines/contracts/scale-settings.ts';
import type {
  AssignStages,
  Clustering,
  Extract,
  Features,
  NoClustering,
  Persisted,
  Stages,
  Trail,
  Validation,
} from '../pipelines/contracts/stages.ts';
import { nowMs } from './clock.ts';
import { inWindow } from './in-window.ts';
import type { RunBoard } from './run-board.ts';
import { summaries } from './summaries.ts';

// The stages that any number of workers can do together. A run without a scale does each as a whole.

const compute = proxyActivities<Stages & AssignStages & PartStages>(COMPUTE);

export interface Parted {
  scale: Scale | undefined;
  board: RunBoard;
}

type Options = { summary: string };

/** What the parts of the features leave for the parts of a later stage. */
export interface MadeInParts {
  plan: ArtifactRef;
  parts: FeaturePart[];
}

export async function makeFeatures(
  options: Options,
  { run, extract, validation }: { run: Run; extract: Extract; validation: Validation },
  { scale, board }: Parted,
): Promise<Features & { made?: MadeInParts }> {
  const build = compute.buildFeatures;
  if (!scale) return build.executeWithOptions(options, [{ run, extract, validation }]);
  const since = now();
  const { plan, parts: of } = await compute.planParts.executeWithOptions(
    { summary: `part the extract by customers, at most ${scale.parts} parts` },
    [{ run, extract, parts: scale.parts }],
  );
  const parts = await each(of, { scale, board, since }, (part) =>
    compute.aggregatePart.executeWithOptions({ summary: summaries.part('features', part, of) }, [
      { run: briefly(run), plan, part },
    ]),
  );
  const features = await build.executeWithOptions(options, [{ run, extract, validation, parts, since }]);
  return { ...features, made: { plan, parts } };
}

export async function assignByModel(
  options: Options,
  { run, features, made }: { run: Run; features: Features; made?: MadeInParts | undefined },
  { scale, board }: Parted,
): Promise<Clustering | NoClustering> {
  const assign = compute.assignSegments;
  if (!scale || !made) return assign.executeWithOptions(options, [{ run, features }]);
  const since = now();
  const of = made.parts.length;
  const parts = await each(of, { scale, board, since }, (part) =>
    compute.assignPart.executeWithOptions({ summary: summaries.part('assign', part, of) }, [
      { run: briefly(run), plan: made.plan, part, features: made.parts[part]!.part },
    ]),
  );
  return assign.executeWithOptions(options, [{ run, features, parts, since }]);
}

export async function persist(
  options: Options,
  trail: { run: Run } & Omit<Trail, 'stability'>,
  { scale, board }: Parted,
): Promise<Persisted> {
  const whole = compute.persistRun;
  if (!scale) return whole.executeWithOptions(options, [trail]);
  const since = now();
  const { run, clustering, match, naming } = trail;
  const { customers, values } = trail.features;
  const asked = Math.min(scale.parts, MOST_MEMBERSHIP_PARTS);
  const { plan, parts: of } = await compute.planMemberships.executeWithOptions(
    { summary: `part the memberships, at most ${asked} parts` },
    [{ run, features: { customers, values }, clustering, match, naming, parts: asked }],
  );
  await each(of, { scale, board, since }, (part) =>
    compute.loadMemberships.executeWithOptions({ summary: summaries.part('persist', part, of) }, [
      { run: briefly(run), plan, since, part },
    ]),
  );
  return whole.executeWithOptions(options, [{ ...trail, loaded: { plan, parts: of }, since }]);
}

function briefly({ runId, pipeline, kind }: Run): PartedRun {
  return { runId, pipeline, kind };
}

async function each<R>(
  parts: number,
  { scale, board, since }: { scale: Scale; board: RunBoard; since: string },
  call: (part: number) => Promise<R>,
): Promise<R[]> {
  let done = 0;
  const tell = () => board.parted({ done, of: parts, since });
  tell();
  const numbers = Array.from({ length: parts }, (_, part) => part);
  return inWindow(numbers, scale.atOnce, async (part) => {
    const result = await call(part);
    done += 1;
    tell();
    return result;
  });
}

function now(): string {
  return new Date(nowMs()).toISOString();
}
