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
import { runStage } from './stage.ts';

/** Everything the run says -> rows of PostgreSQL, attached, and seen by no reader until it is published. */
export function createPersistActivities(context: ActivityContext): Pick<Stages, 'persistRun'> {
  const { artifacts, repositories } = context;
  return {
    async persistRun({ run, features, clustering, match, naming }) {
      const labels = membersOf(clustering, match);
      const inputs = [
        features.customers,
        labels,
        clustering.model,
        match.identities,
        naming.names,
        match.base?.publicationId ?? null,
      ];
      return runStage(context, { stage: 'persist', run, inputs }, async ({ signal, onProgress }) => {
        const identities = decodeJson(await artifacts.read(match.identities)) as Identities;
        const file = decodeJson(await artifacts.read(naming.names)) as NamesFile;
        const { customers, values } = features;
        const { model } = clustering;
        await repositories.segmentations.save(run.runId, {
          artifacts: { model, customers, labels, values, identities: match.identities },
          fittedIn: run.champion?.runId ?? run.runId,
          segments: segmentsInRun(naming, identities, file),
          names: namesOf(run, naming, file),
        });
        const rows = {
          customers: await readCustomers(artifacts, customers),
          segmentIds: idsByCluster(identities.segments),
          ...(await readLabels(artifacts, labels)),
          moveCauses: await moveCauses(context, { run, features, clustering, match }),
        };
        const loaded = await repositories.memberships.load(run.runId, rows, { signal, onProgress });
        return { memberships: loaded.rows };
      });
    },
  };
}

/**
 * Why each customer is in another segment than readers see; null when there is nothing to compare with. Of a run
 * that was overtaken by another publication too: it cannot be published any more.
 */
async function moveCauses(
  context: ActivityContext,
  { run, ...products }: { run: Run } & Pick<ComparedRun, 'features' | 'clustering' | 'match'>,
): Promise<MembershipRows['moveCauses']> {
  const { artifacts } = context;
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
