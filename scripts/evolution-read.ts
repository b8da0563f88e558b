import { readCustomers, readLabels, readValues } from '../activities/columns.ts';
import { type ActivityContext, frozenDefinition } from '../activities/context.ts';
import { labelByPrevious, readModel } from '../activities/previous-model.ts';
import { idsByCluster } from '../activities/published-run.ts';
import { readComparison } from '../activities/stability.ts';
import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { spendCents } from '../pipelines/stages/beside.ts';
import { compareRuns, type DiffReport } from '../pipelines/stages/evolution/diff.ts';
import { describeEvolution, type EvolutionReport } from '../pipelines/stages/evolution/evolution.ts';
import { countFlows, type Flow, withCauses } from '../pipelines/stages/evolution/flows.ts';
import { type IdentityStep, traceLine } from '../pipelines/stages/evolution/lineage-line.ts';
import { compareModelByData } from '../pipelines/stages/evolution/model-by-data.ts';
import type { ChangeWords } from '../pipelines/stages/evolution/profile-changes.ts';
import type { ProfiledRun } from '../pipelines/stages/evolution/published.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { figureFormat } from '../pipelines/stages/figures.ts';
import type { Identities } from '../pipelines/stages/identity.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { canRead } from '../pipelines/stages/model.ts';
import { profileSegments } from '../pipelines/stages/segment-profile.ts';
import { judgeStabilityInTurns, type StabilityInput } from '../pipelines/stages/stability.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { PastName, PastPublication } from '../store/postgres/evolution.ts';
import type { ModelArtifacts } from '../store/postgres/segmentations.ts';

// What diff and evolution are told of: publications of PostgreSQL with the artifacts of their runs.

type Stores = Pick<ActivityContext, 'artifacts' | 'threads' | 'repositories'>;

/** A publication with the customers it is about; they stay here. */
interface ReadRun {
  run: ProfiledRun;
  definition: Definition;
  customers: CustomerIds;
  labels: Uint8Array;
  columns: Columns;
  cents: Float64Array | null;
  ids: string[];
}

/**
 * What changed between two publications of one line, which the model and which the customers changed.
 *
 * @param line all publications of the pipeline in order
 * @throws PipelineError ARTIFACT_MISSING with the run that is not whole any more
 */
export async function readDiff(
  stores: Stores,
  {
    line,
    before,
    after,
  }: { line: readonly PastPublication[]; before: PastPublication; after: PastPublication },
): Promise<DiffReport> {
  const earlier = await readRun(stores, before);
  const later = await readRun(stores, after);
  const between = linkOf(line, before, after);
  const comparison = await explained(after, () => comparisonOf(stores, { before, after, later }));
  const stability = await judgeStabilityInTurns(comparison);
  const { join, relabelled } = comparison.previous!;
  const backLabelled = await explained(after, () => labelsBack(stores, { after, earlier }));
  const shared = { join, previousIds: earlier.ids, currentIds: later.ids };
  const both = { previousLabels: earlier.labels, labels: later.labels };
  return compareRuns({
    pipeline: after.pipeline,
    before: earlier.run,
    after: later.run,
    between: between.length === 0 ? 0 : between.length - 1,
    definitions: { before: earlier.definition, after: later.definition },
    ...(await lineageOf(stores, { before, between })),
    ...(await namesOf(stores, after.pipeline)),
    flows: flowsOf(earlier, later, { join, movements: stability.movements?.movements ?? [] }),
    stability,
    modelByData: compareModelByData({ ...shared, ...both, relabelled, backLabelled }),
    words: wordsOf(later.definition),
  });
}

/** All the given publications, two or more, each compared with the one before it. @throws PipelineError ARTIFACT_MISSING as above */
export async function readEvolution(
  stores: Stores,
  publications: readonly PastPublication[],
): Promise<EvolutionReport> {
  const runs: ProfiledRun[] = [];
  const definitions: Definition[] = [];
  const flows: Flow[][] = [];
  const identities: IdentityStep[] = [];
  let previous: ReadRun | null = null;
  // One after the other, and the one before alone kept: of many large runs memory holds two.
  for (const publication of publications) {
    const read: ReadRun = await readRun(stores, publication);
    identities.push(await explained(publication, () => readIdentities(stores, publication)));
    if (previous) {
      const join = joinCustomers(previous.customers, read.customers);
      // Causes are of the comparison with the publication replaced; in another order there are none.
      const isNext = publication.replaced === publications[runs.length - 1]!.publicationId;
      flows.push(flowsOf(previous, read, { join, movements: isNext ? publication.movements : [] }));
    }
    runs.push(read.run);
    definitions.push(read.definition);
    previous = read;
  }
  const { pipeline } = publications[0]!;
  return describeEvolution({
    pipeline,
    ...{ runs, definitions, identities, flows },
    ...(await namesOf(stores, pipeline)),
    words: wordsOf(definitions.at(-1)!),
  });
}

async function readRun(stores: Stores, publication: PastPublication): Promise<ReadRun> {
  return explained(publication, async () => {
    const { artifacts } = stores;
    const refs = artifactsOf(publication);
    const definition = await frozenDefinition(artifacts, publication);
    const columns = await readValues(artifacts, refs.values);
    const { labels } = await readLabels(artifacts, refs.labels);
    const cents = spendCents(definition, columns);
    const ids = idsByCluster(publication.segments);
    return {
      run: profiledRun(publication, { definition, columns, labels, cents }),
      customers: await readCustomers(artifacts, refs.customers),
      ...{ definition, labels, columns, cents, ids },
    };
  });
}

function profiledRun(
  publication: PastPublication,
  read: Pick<ReadRun, 'definition' | 'columns' | 'labels' | 'cents'>,
): ProfiledRun {
  const { definition, columns, labels, cents } = read;
  const { spend } = definition.naming;
  const bySegment = new Float64Array(publication.segments.length);
  if (cents) for (let row = 0; row < labels.length; row++) bySegment[labels[row]!]! += cents[row]!;
  const { publicationId, runId, kind, asOf, version, publishedAt, verdict, reasons, review } = publication;
  return {
    ...{ publicationId, runId, kind, asOf, version, publishedAt, verdict, reasons, review },
    quality: publication.quality?.verdict ?? null,
    definitionVersion: definition.version,
    customers: labels.length,
    spendCents: cents && bySegment.reduce((sum, own) => sum + own, 0),
    segments: publication.segments.map(({ segmentId, cluster, name, nameStatus, customers, ...own }) => ({
      ...{ segmentId, name, nameStatus, customers, share: own.share },
      spendCents: cents && bySegment[cluster]!,
      spendShare: own.spendShare,
    })),
    profiles: profileSegments({
      columns,
      labels,
      k: bySegment.length,
      ...(spend !== undefined && { spend }),
    }),
  };
}

function flowsOf(
  before: ReadRun,
  after: ReadRun,
  {
    join,
    movements,
  }: { join: Parameters<typeof countFlows>[0]['join']; movements: Parameters<typeof withCauses>[1] },
): Flow[] {
  // Money of two currencies is not the same money.
  const hasMoney = before.definition.currency === after.definition.currency;
  const flows = countFlows({
    join,
    previousIds: before.ids,
    currentIds: after.ids,
    previousLabels: before.labels,
    labels: after.labels,
    previousCents: hasMoney ? before.cents : null,
    cents: hasMoney ? after.cents : null,
  });
  return withCauses(flows, movements);
}

function comparisonOf(
  stores: Stores,
  { before, after, later }: { before: PastPublication; after: PastPublication; later: ReadRun },
): Promise<StabilityInput> {
  const { customers, values, labels, model } = artifactsOf(after);
  const segments = after.segments.map(({ cluster, segmentId, event }) => ({
    cluster,
    segmentId,
    event,
    overlap: null,
  }));
  return readComparison(stores, {
    features: { customers, values },
    clustering: { labels, model },
    // Matched long ago, with the publication before: how the earlier model labels these customers is asked anew.
    match: { base: null, segments },
    naming: after,
    definition: later.definition,
    base: { publicationId: before.publicationId, artifacts: artifactsOf(before), segments: before.segments },
  });
}

/** What the later model says of the earlier figures; null when it cannot read them. */
async function labelsBack(
  stores: Stores,
  { after, earlier }: { after: PastPublication; earlier: ReadRun },
): Promise<Uint8Array | null> {
  const model = await readModel(stores.artifacts, artifactsOf(after).model);
  if (!canRead(model, earlier.definition)) return null;
  return (await labelByPrevious(stores, model, earlier.columns)).labels;
}

/** The publications after the earlier one up to the later one; none where they were published in another order. */
function linkOf(
  line: readonly PastPublication[],
  before: PastPublication,
  after: PastPublication,
): PastPublication[] {
  const [from, to] = [line.indexOf(before), line.indexOf(after)];
  return from < to ? line.slice(from + 1, to + 1) : [];
}

async function lineageOf(
  stores: Stores,
  { before, between }: { before: PastPublication; between: readonly PastPublication[] },
) {
  if (between.length === 0) {
    const why =
      'the later run was published before the earlier one: what became of segments is told by their ids alone';
    return { edges: [], lineageGap: why };
  }
  const start: IdentityStep = {
    segments: before.segments.map(({ segmentId }) => ({ segmentId, parents: [] })),
  };
  try {
    const steps: IdentityStep[] = [start];
    for (const publication of between) steps.push(await readIdentities(stores, publication));
    return { edges: traceLine(steps).edges, lineageGap: null };
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'ARTIFACT_MISSING') throw error;
    const why = 'artifacts of a run between are gone: what became of segments is told by their ids alone';
    return { edges: [], lineageGap: why };
  }
}

async function readIdentities({ artifacts }: Stores, publication: PastPublication): Promise<IdentityStep> {
  return decodeJson(await artifacts.read(artifactsOf(publication).identities)) as Identities;
}

async function namesOf({ repositories }: Stores, pipeline: string) {
  const nameHistory = new Map<string, PastName[]>();
  const presentNames = new Map<string, string>();
  for (const name of await repositories.evolution.names(pipeline)) {
    nameHistory.set(name.segmentId, [...(nameHistory.get(name.segmentId) ?? []), name]);
    if (name.validTo === null) presentNames.set(name.segmentId, name.name);
  }
  return { nameHistory, presentNames };
}

function wordsOf(definition: Definition): ChangeWords {
  const { stage, spend } = definition.naming;
  const format = figureFormat(definition);
  return {
    ...{ format, spend },
    silence: format.units.get(stage.feature) === 'days' ? stage.feature : undefined,
    clustered: definition.features.cluster.map(({ feature }) => feature),
  };
}

function artifactsOf({ runId, artifacts }: PastPublication): ModelArtifacts {
  if (artifacts) return artifacts;
  throw new PipelineError(
    'ARTIFACT_MISSING',
    `run ${runId} has no artifacts on record; compare it no further back`,
    {
      runId,
    },
  );
}

/** An artifact that is gone, told with the run it is of and the way out. */
async function explained<R>({ runId, asOf }: PastPublication, read: () => Promise<R>): Promise<R> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'ARTIFACT_MISSING') throw error;
    throw new PipelineError(
      'ARTIFACT_MISSING',
      `run ${runId} as of ${asOf} cannot be compared, an artifact of it is gone: bring it back from a backup, check that STRATA_ARTIFACTS names the place that the worker writes to, or leave this run out (another date; --from, --to)`,
      { runId },
      { cause: error },
    );
  }
}
