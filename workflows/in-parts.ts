import { proxyActivities } from '@temporalio/workflow';
import type { FeaturePart, PartStages } from '../pipelines/contracts/parts.ts';
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
  Timed,
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

export async function makeFeatures(
  options: Options,
  { run, extract, validation }: { run: Run; extract: Extract; validation: Validation },
  { scale, board }: Parted,
): Promise<Features & { parts?: FeaturePart[] }> {
  const build = compute.buildFeatures;
  if (!scale) return build.executeWithOptions(options, [{ run, extract, validation }]);
  return timed(async () => {
    const { artifact, asOf, customers } = extract;
    const parted = { artifact, asOf, ...(customers && { customers }) };
    const { plan, parts: of } = await compute.planParts.executeWithOptions(
      { summary: `part the extract by customers, at most ${scale.parts} parts` },
      [{ run, extract: parted, parts: scale.parts }],
    );
    const parts = await each(numbers(of), { scale, board }, (part) =>
      compute.aggregatePart.executeWithOptions({ summary: summaries.part('features', part, of) }, [
        { run, extract: parted, plan, part },
      ]),
    );
    return { ...(await build.executeWithOptions(options, [{ run, extract, validation, parts }])), parts };
  });
}

export async function assignByModel(
  options: Options,
  { run, features, parts }: { run: Run; features: Features; parts?: FeaturePart[] | undefined },
  { scale, board }: Parted,
): Promise<Clustering | NoClustering> {
  const assign = compute.assignSegments;
  if (!scale || !parts) return assign.executeWithOptions(options, [{ run, features }]);
  return timed(async () => {
    const labels = await each(parts, { scale, board }, ({ part }, number) =>
      compute.assignPart.executeWithOptions({ summary: summaries.part('assign', number, parts.length) }, [
        { run, part, number },
      ]),
    );
    return assign.executeWithOptions(options, [{ run, features, parts: labels }]);
  });
}

export async function persist(
  options: Options,
  trail: { run: Run } & Omit<Trail, 'stability'>,
  { scale, board }: Parted,
): Promise<Persisted> {
  const whole = compute.persistRun;
  if (!scale) return whole.executeWithOptions(options, [trail]);
  return timed(async () => {
    const { run, clustering, match, naming } = trail;
    const { customers, values } = trail.features;
    const product = { run, features: { customers, values }, clustering, match, naming };
    const plan = await compute.planMemberships.executeWithOptions(
      { summary: `part the memberships, at most ${scale.parts} parts` },
      [{ ...product, parts: scale.parts }],
    );
    const of = plan.parts.length;
    const { segmentIds } = plan;
    await each(plan.parts, { scale, board }, (part, number) =>
      compute.loadMemberships.executeWithOptions({ summary: summaries.part('persist', number, of) }, [
        { run, plan: { segmentIds }, part, number, of },
      ]),
    );
    return whole.executeWithOptions(options, [{ ...trail, loaded: plan }]);
  });
}

/** What a stage in parts took from its beginning to its end, whoever did the parts. */
async function timed<R extends Timed>(stage: () => Promise<R>): Promise<R> {
  const began = nowMs();
  const result = await stage();
  return { ...result, ms: nowMs() - began };
}

async function each<T, R>(
  items: readonly T[],
  { scale, board }: { scale: Scale; board: RunBoard },
  call: (item: T, number: number) => Promise<R>,
): Promise<R[]> {
  const since = new Date(nowMs()).toISOString();
  let done = 0;
  const tell = () => board.parted({ done, of: items.length, since });
  tell();
  return inWindow(items, scale.atOnce, async (item, number) => {
    const result = await call(item, number);
    done += 1;
    tell();
    return result;
  });
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
