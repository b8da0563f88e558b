import type { SegmentSummary } from '../pipelines/contracts/run.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import { comparisonOf } from '../pipelines/stages/beside.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { decidePublication } from '../pipelines/stages/publish.ts';
import { judgeStabilityInTurns, type StabilityInput } from '../pipelines/stages/stability.ts';
import { applyTransformsInTurns } from '../pipelines/stages/transform.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { membersOf, readLabels, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { asideOf, baseOf } from './publication-base.ts';
import { type ComparedRun, idsByCluster, readBeside } from './published-run.ts';
import { runStage } from './stage.ts';

/** This run and the last publication -> movements with causes, metrics, a verdict, and whether a person is asked. */
export function createStabilityActivities(context: ActivityContext): Pick<Stages, 'measureStability'> {
  const { artifacts, repositories } = context;
  return {
    async measureStability({ run, features, clustering, match, naming }) {
      const inputs = [
        features.values,
        membersOf(clustering, match),
        match.identities,
        naming.names,
        match.base?.publicationId ?? null,
        run.review,
      ];
      return runStage(context, { stage: 'stability', run, inputs }, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run);
        const base = match.base && (await baseOf(context, run));
        const compared = { features, clustering, match, naming, definition, base };
        const report = await judgeStabilityInTurns(await readComparison(context, compared), () =>
          signal.throwIfAborted(),
        );
        const movements = report.movements?.movements ?? [];
        await repositories.stability.save(run.runId, { movements, metrics: report.metrics });
        const kept = await artifacts.write('stability', encodeJson(report), {
          runId: run.runId,
          ending: 'json',
          rows: movements.length,
        });
        const { verdict, adjustedRand, movedShare } = report;
        const publication = decidePublication({
          policy: run.review,
          stability: report,
          asOf: run.asOf,
          publishedAsOf: (await asideOf(context, run)) ?? base?.asOf ?? null,
          beforePublished: run.beforePublished,
          kind: run.kind,
        });
        return { verdict, ...publication, adjustedRand, movedShare, report: kept };
      });
    },
  };
}

export type Compared = Omit<ComparedRun, 'base'> & {
  naming: { segments: readonly Pick<SegmentSummary, 'nameStatus'>[] };
  base: ComparedRun['base'] | null;
};

/** A run beside a publication, of any time: the last one in a run, another one where two are compared later. */
export async function readComparison(
  context: Pick<ActivityContext, 'artifacts' | 'threads'>,
  compared: Compared,
): Promise<StabilityInput> {
  const { features, clustering, match, naming, definition, base } = compared;
  const { artifacts } = context;
  const columns = await readValues(artifacts, features.values);
  const { labels } = await readLabels(artifacts, membersOf(clustering, match));
  return {
    settings: definition.stability,
    columns,
    labels,
    segmentIds: idsByCluster(match.segments),
    nameStatuses: naming.segments.map(({ nameStatus }) => nameStatus),
    held: match.held,
    previous: base && (await previous(context, { ...compared, base, columns })),
  };
}

async function previous(
  context: Pick<ActivityContext, 'artifacts' | 'threads'>,
  compared: ComparedRun & { columns: Columns },
): Promise<StabilityInput['previous']> {
  const { base, columns, definition } = compared;
  const beside = await readBeside(context, compared);
  const { model } = beside;
  return comparisonOf(beside, {
    ...{ definition, columns },
    values: model && (await readValues(context.artifacts, base.artifacts.values)),
    matrix: model && (await applyTransformsInTurns(columns, model.transforms)),
  });
}
