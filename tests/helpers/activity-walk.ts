import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { FeaturePart, LabelPart } from '../../pipelines/contracts/parts.ts';
import type { Run, StartInput } from '../../pipelines/contracts/run.ts';
import type {
  Closing,
  Clustering,
  Features,
  OpenedRun,
  Profile,
  Trail,
} from '../../pipelines/contracts/stages.ts';
import type { ActivityName, ActivityShop, InputOf, ResultOf } from './activity-shop.ts';

/** How a walk calls an activity: once, or twice with a look at what was left. */
export type Call = <N extends ActivityName>(name: N, input: InputOf<N>) => Promise<ResultOf<N>>;

export type Walked = Trail & { opened: OpenedRun; run: Run; profile: Profile };

/** A run's activities in the order of the workflow, from opening it to what comes before publishing. */
export async function walkToStability(
  shop: ActivityShop,
  input: StartInput = {},
  call: Call = (name, given) => shop.perform(name, given),
  parts?: number,
): Promise<Walked> {
  const { execution: workflow } = await shop.openWorkflow();
  const opened = await call('openRun', { input, workflow, scheduledAt: null });
  await call('takeTurn', { run: opened.run });
  const extract = await call('extractCustomers', { run: opened.run });
  const run = { ...opened.run, asOf: extract.asOf };
  const validation = await call('validateExtract', { run, extract });
  const profile = await call('profileExtract', { run, extract });
  const { features } = await walkFeatures(call, { run, extract, validation }, parts);
  const clustering = (await call('fitClusters', { run, features })) as Clustering;
  const match = await call('matchIdentities', { run, features, clustering });
  const naming = await call('nameSegments', { run, features, clustering, match });
  await walkPersist(call, { run, extract, validation, features, clustering, match, naming }, parts);
  const stability = await call('measureStability', { run, features, clustering, match, naming });
  return { opened, run, extract, validation, profile, features, clustering, match, naming, stability };
}

export type WalkedAssign = Omit<Walked, 'profile'> & { warnings: string[] };

/** The same of a run that assigns by the published model. */
export async function walkAssign(
  shop: ActivityShop,
  input: StartInput = {},
  call: Call = (name, given) => shop.perform(name, given),
  parts?: number,
): Promise<WalkedAssign> {
  const { execution: workflow } = await shop.openWorkflow();
  const opened = await call('openRun', { input, workflow, scheduledAt: null, kind: 'assign' });
  await call('takeTurn', { run: opened.run });
  const adopted = await call('adoptChampion', { run: opened.run });
  const { warnings } = adopted;
  const extract = await call('extractCustomers', { run: adopted.run });
  const run = { ...adopted.run, asOf: extract.asOf };
  const validation = await call('validateExtract', { run, extract });
  const made = await walkFeatures(call, { run, extract, validation }, parts);
  const { features } = made;
  const labelled = await walkLabels(call, run, made);
  const clustering = (await call('assignSegments', { run, features, ...labelled })) as Clustering;
  const match = await call('keepIdentities', { run, features, clustering });
  const naming = await call('nameSegments', { run, features, clustering, match });
  await walkPersist(call, { run, extract, validation, features, clustering, match, naming }, parts);
  const stability = await call('measureStability', { run, features, clustering, match, naming });
  return { opened, run, warnings, extract, validation, features, clustering, match, naming, stability };
}

/** What a workflow would say of a walked run when it closes it. */
export function closingOf(
  walked: Omit<Walked, 'profile'>,
  outcome: Closing['outcome'],
  reasons: string[] = [],
): Closing {
  const { run, validation, clustering, naming, stability } = walked;
  const { runId, kind, pipeline, asOf, workflow } = run;
  const { k, quality } = clustering;
  const { counts } = validation;
  const stages = [
    { stage: 'extract' as const, ms: 1, digests: { artifact: walked.extract.artifact.sha256 } },
  ];
  return {
    runId,
    kind,
    pipeline,
    asOf,
    workflow,
    counts,
    k,
    quality,
    stages,
    outcome,
    reasons,
    segments: naming.segments,
    verdict: outcome === 'rejected' ? 'refused' : stability.verdict,
  };
}

export async function publishWalked(
  shop: ActivityShop,
  walked: Omit<Walked, 'profile'>,
  call: Call = (name, given) => shop.perform(name, given),
) {
  const { run, match, naming } = walked;
  await call('publishRun', { run, match, naming, review: null });
  await call('deliverOutbox', { run });
  return call('closeRun', { run, closing: closingOf(walked, 'published') });
}

/** As the workflow does it: at once, or in so many parts. */
async function walkFeatures(
  call: Call,
  { run, extract, validation }: Pick<Walked, 'run' | 'extract' | 'validation'>,
  asked: number | undefined,
): Promise<{ features: Features; plan?: ArtifactRef; parts?: FeaturePart[] }> {
  if (asked === undefined) return { features: await call('buildFeatures', { run, extract, validation }) };
  const { plan, parts: of } = await call('planParts', { run, extract, parts: asked });
  const parts: FeaturePart[] = [];
  for (let part = 0; part < of; part++) parts.push(await call('aggregatePart', { run, plan, part }));
  return { features: await call('buildFeatures', { run, extract, validation, parts }), plan, parts };
}

async function walkLabels(
  call: Call,
  run: Run,
  { plan, parts }: Omit<Awaited<ReturnType<typeof walkFeatures>>, 'features'>,
) {
  if (plan === undefined || parts === undefined) return {};
  const labels: LabelPart[] = [];
  for (const [part, { part: features }] of parts.entries())
    labels.push(await call('assignPart', { run, plan, part, features }));
  return { parts: labels };
}

async function walkPersist(
  call: Call,
  trail: { run: Run } & Omit<Trail, 'stability'>,
  asked: number | undefined,
): Promise<void> {
  if (asked === undefined) {
    await call('persistRun', trail);
    return;
  }
  const { run, features, clustering, match, naming } = trail;
  const product = { run, features, clustering, match, naming };
  const { plan, parts } = await call('planMemberships', { ...product, parts: asked });
  const since = new Date().toISOString();
  for (let part = 0; part < parts; part++) await call('loadMemberships', { run, plan, since, part });
  await call('persistRun', { ...trail, loaded: { plan, parts } });
}
