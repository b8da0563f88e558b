import { setImmediate } from 'node:timers/promises';
import { type ArtifactRef, artifactsIn } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type {
  Difference,
  MadeAgain,
  ReproducedStage,
  ReproduceStages,
  Reproduction,
  StageAgain,
} from '../pipelines/contracts/reproduce.ts';
import type { Clustering, Features, Match, Naming, Timed } from '../pipelines/contracts/stages.ts';
import type { Manifest } from '../pipelines/stages/manifest.ts';
import {
  differingColumn,
  differingPaths,
  MISQUOTED,
  whyDifferent,
} from '../pipelines/stages/reproduction.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { decodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import { createAssignActivities } from './assign.ts';
import { createClusterActivities } from './cluster.ts';
import type { ActivityContext } from './context.ts';
import { contextThen } from './context-then.ts';
import { createFeatureActivities } from './features.ts';
import { createMatchActivities } from './match.ts';
import { createNameActivities } from './name.ts';
import { createProfileActivities } from './profile.ts';
import { createStabilityActivities } from './stability.ts';
import { withHeartbeats } from './stage.ts';
import { toldStages } from './told-history.ts';
import { createValidateActivities } from './validate.ts';

type Asked = Parameters<ReproduceStages['reproduceStage']>[0];

/** A stage of a run, by the very code that runs go through, on what was known when the run was going on. */
export async function reproduceStage(context: ActivityContext, asked: Asked): Promise<StageAgain> {
  const { reproduction, stage, differing } = asked;
  const then = await contextThen(context, reproduction);
  const { result, made } = await makeAgain(then.context, asked);
  const wanted = await digestsOfRun(context.artifacts, reproduction, stage);
  const found = Object.fromEntries(artifactsIn(result));
  const others = Object.keys(wanted).filter((product) => found[product]?.sha256 !== wanted[product]);
  const told = others.length === 0 ? {} : await toldProducts(context.artifacts, reproduction, stage);
  const why = whyDifferent({
    stage,
    differing,
    hasSameInputs: then.hadSameInputs(),
    code: { ...reproduction.code, now: context.codeVersion },
    runtime: `Node ${process.version} on ${process.platform} ${process.arch}`,
  });
  const differences = await withHeartbeats(stage, async ({ signal }) => {
    const list: Difference[] = [];
    for (const product of others.sort()) {
      signal.throwIfAborted();
      const [before, now] = [told[product], found[product]];
      const isMisquoted = now !== undefined && now.sha256 === before?.sha256;
      list.push({
        ...{ stage, product, before: wanted[product]!, now: now?.sha256 ?? null },
        where: isMisquoted ? [] : await whereDifferent(context.artifacts, before, now),
        why: isMisquoted ? MISQUOTED : why,
      });
    }
    return list;
  });
  const digests = Object.fromEntries(Object.entries(found).map(([name, { sha256 }]) => [name, sha256]));
  return { made, digests, compared: Object.keys(wanted).length, differences, ms: result.ms };
}

/** The stage's own activity. What a stage before it did not make, the workflow does not ask of a later one. */
async function makeAgain(
  context: ActivityContext,
  { reproduction: { run, extract }, stage, made }: Asked,
): Promise<{ result: Timed; made: MadeAgain }> {
  const features = made.features as Features;
  const clustering = made.clustering as Clustering;
  const match = made.match as Match;
  const naming = made.naming as Naming;
  const clustered = { run, features, clustering };
  switch (stage) {
    case 'validate': {
      const result = await createValidateActivities(context).validateExtract({ run, extract });
      return { result, made: { validation: result } };
    }
    case 'profile':
      return { result: await createProfileActivities(context).profileExtract({ run, extract }), made: {} };
    case 'features': {
      const validation = made.validation!;
      const result = await createFeatureActivities(context).buildFeatures({ run, extract, validation });
      return { result, made: { features: result } };
    }
    case 'cluster': {
      const result = await createClusterActivities(context).fitClusters({ run, features });
      return { result, made: { clustering: result } };
    }
    case 'assign': {
      const result = await createAssignActivities(context).assignSegments({ run, features });
      return { result, made: { clustering: result } };
    }
    case 'match': {
      const result =
        run.kind === 'assign'
          ? await createAssignActivities(context).keepIdentities(clustered)
          : await createMatchActivities(context).matchIdentities(clustered);
      return { result, made: { match: result } };
    }
    case 'name': {
      const result = await createNameActivities(context).nameSegments({ ...clustered, match });
      return { result, made: { naming: result } };
    }
    case 'stability': {
      const result = await createStabilityActivities(context).measureStability({
        ...{ ...clustered, match, naming },
      });
      return { result, made: { stability: result } };
    }
  }
}

export async function readManifest(artifacts: ArtifactStore, ref: ArtifactRef): Promise<Manifest> {
  return decodeJson(await artifacts.read(ref)) as Manifest;
}

async function digestsOfRun(
  artifacts: ArtifactStore,
  { manifest }: Reproduction,
  stage: ReproducedStage,
): Promise<Record<string, string>> {
  const { stages } = await readManifest(artifacts, manifest);
  return stages.find((one) => one.stage === stage)?.digests ?? {};
}

async function toldProducts(
  artifacts: ArtifactStore,
  { history }: Reproduction,
  stage: ReproducedStage,
): Promise<Record<string, ArtifactRef>> {
  const told = await toldStages((await artifacts.read(history)).toString());
  return Object.fromEntries(artifactsIn(told.find((one) => one.stage === stage)?.result ?? {}));
}

/** Columns or paths; nothing where the file of then is not there any more, or is of a form that tells none. */
async function whereDifferent(
  artifacts: ArtifactStore,
  then: ArtifactRef | undefined,
  now: ArtifactRef | undefined,
): Promise<string[]> {
  if (then === undefined || now === undefined) return [];
  if (then.uri.endsWith('.parquet'))
    return then.rows === now.rows ? [] : [`${then.rows} rows then, ${now.rows} now`];
  const [before, after] = [await readKept(artifacts, then), await readKept(artifacts, now)];
  if (before === null || after === null) return [];
  if (then.uri.endsWith('.json')) return differingPaths(decodeJson(before), decodeJson(after));
  if (!then.uri.endsWith('.columns')) return [];
  const [columns, others] = [decodeColumns(before), decodeColumns(after)];
  const found: string[] = [];
  for (const name of new Set([...Object.keys(columns), ...Object.keys(others)])) {
    const phrase = differingColumn(name, columns[name], others[name]);
    if (phrase !== null) found.push(phrase);
    // Heartbeats go out between columns of a million customers.
    await setImmediate();
  }
  return found;
}

async function readKept(artifacts: ArtifactStore, ref: ArtifactRef): Promise<Buffer | null> {
  try {
    return await artifacts.read(ref);
  } catch (error) {
    if (error instanceof PipelineError) return null;
    throw error;
  }
}
