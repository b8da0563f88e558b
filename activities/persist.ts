import type { Run, SegmentSummary } from '../pipelines/contracts/run.ts';
import type { Naming, Stages } from '../pipelines/contracts/stages.ts';
import { movementsOf } from '../pipelines/stages/beside.ts';
import type { Identities } from '../pipelines/stages/identity.ts';
import { CAUSE_WORDS, causesOfCustomers } from '../pipelines/stages/movements.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { MembershipRows } from '../store/postgres/copy-binary.ts';
import type { Segmentation, SegmentInRun } from '../store/postgres/segmentations.ts';
import { membersOf, readCustomers, readLabels } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import type { NamesFile } from './name.ts';
import { baseOf } from './publication-base.ts';
import { type ComparedRun, idsByCluster, readBeside } from './published-run.ts';
import { runStage, withHeartbeats } from './stage.ts';

type Persisting = Parameters<Stages['persistRun']>[0];
/** What the rows are made of. */
export type Product = Pick<Persisting, 'run' | 'clustering' | 'match' | 'naming'> & {
  features: Pick<Persisting['features'], 'customers' | 'values'>;
};

/** Everything the run says -> rows of PostgreSQL, attached, and seen by no reader until it is published. */
export function createPersistActivities(context: ActivityContext): Pick<Stages, 'persistRun'> {
  const { repositories } = context;
  return {
    async persistRun({ run, features, clustering, match, naming, loaded, since }) {
      const product = { run, features, clustering, match, naming };
      const inputs = inputsOfPersisting(product);
      if (loaded) {
        // Outside of what is kept: whether they are attached, PostgreSQL knows.
        const { plan, parts: of } = loaded;
        const asked = { of, rows: features.customers.rows, plan: plan.sha256 };
        const { rows } = await withHeartbeats('persist', ({ signal }) =>
          repositories.memberships.attachParts(run.runId, asked, { signal }),
        );
        const call = { stage: 'persist' as const, run, inputs: [...inputs, plan], since };
        return runStage(context, call, async () => ({ memberships: rows }));
      }
      return runStage(context, { stage: 'persist', run, inputs }, async ({ signal, onProgress }) => {
        await saveSegments(context, product);
        const rows = await membershipRows(context, product);
        const { rows: memberships } = await repositories.memberships.load(run.runId, rows, {
          ...{ signal, onProgress },
        });
        return { memberships };
      });
    },
  };
}

export function inputsOfPersisting({ features, clustering, match, naming }: Product) {
  return [
    features.customers,
    membersOf(clustering, match),
    clustering.model,
    match.identities,
    naming.names,
    match.base?.publicationId ?? null,
  ];
}

/** The segments with their names and artifacts: rows of customers point to them. */
export async function saveSegments(
  { artifacts, repositories }: ActivityContext,
  { run, features, clustering, match, naming }: Product,
): Promise<void> {
  const identities = decodeJson(await artifacts.read(match.identities)) as Identities;
  const file = decodeJson(await artifacts.read(naming.names)) as NamesFile;
  const { customers, values } = features;
  const { model } = clustering;
  const labels = membersOf(clustering, match);
  await repositories.segmentations.save(run.runId, {
    artifacts: { model, customers, labels, values, identities: match.identities },
    fittedIn: run.champion?.runId ?? run.runId,
    segments: segmentsInRun(naming, identities, file),
    names: namesOf(run, naming, file),
  });
}

export async function membershipRows(context: ActivityContext, product: Product): Promise<MembershipRows> {
  const { artifacts } = context;
  const { features, clustering, match } = product;
  const identities = decodeJson(await artifacts.read(match.identities)) as Identities;
  const { labels, distance, margin } = await readLabels(artifacts, membersOf(clustering, match));
  return {
    customers: await readCustomers(artifacts, features.customers),
    segmentIds: idsByCluster(identities.segments),
    ...{ labels, distance, margin },
    moveCauses: await moveCauses(context, product),
  };
}

/**
 * Why each customer is in another segment than readers see; null when there is nothing to compare with. Of a run
 * that was overtaken by another publication too: it cannot be published any more.
 */
async function moveCauses(
  context: ActivityContext,
  { run, features, clustering, match }: Product,
): Promise<MembershipRows['moveCauses']> {
  const { artifacts } = context;
  const products: Pick<ComparedRun, 'features' | 'clustering' | 'match'> = { features, clustering, match };
  const base = products.match.base && (await baseOf(context, run));
  if (!base || base.publicationId !== products.match.base?.publicationId) return null;
  const definition = await frozenDefinition(artifacts, run);
  const codes = causesOfCustomers(movementsOf(await readBeside(context, { ...products, definition, base })));
  return { codes, words: CAUSE_WORDS };
}

function segmentsInRun(
  { segments }: Naming,
  identities: Identities,
  { profiles }: NamesFile,
): SegmentInRun[] {
  const bySegment = new Map(
    segments.map((segment): [string, SegmentSummary] => [segment.segmentId, segment]),
  );
  return identities.segments.map(({ segmentId, cluster, parents }) => ({
    ...bySegment.get(segmentId)!,
    cluster,
    parents,
    profile: profiles.segments[cluster]!.features,
  }));
}

/** All of them: which ones are new, or rest on a new condition, is known where those in force are kept. */
function namesOf({ runId }: Run, { segments }: Naming, { names }: NamesFile): Segmentation['names'] {
  const describedAs = new Map(segments.map(({ segmentId, description }) => [segmentId, description]));
  return names.map(({ segmentId, name, author, condition, reason }) => ({
    segmentId,
    name,
    author,
    condition,
    description: describedAs.get(segmentId) ?? '',
    reason: `${reason} (${runId})`,
  }));
}
