import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Features, Match, Stages } from '../pipelines/contracts/stages.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { traceMovements } from '../pipelines/stages/movements.ts';
import { decidePublication } from '../pipelines/stages/publish.ts';
import { judgeStability, type StabilityInput } from '../pipelines/stages/stability.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { readCustomers, readLabels, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { labelByPrevious, previousModel } from './previous-model.ts';
import { runStage } from './stage.ts';

/** This run and the last publication -> movements with causes, metrics, a verdict, and whether a person is asked. */
export function createStabilityActivities(context: ActivityContext): Pick<Stages, 'measureStability'> {
  const { artifacts, repositories } = context;
  return {
    async measureStability({ run, features, clustering, match, naming }) {
      const inputs = [
        features.values,
        clustering.labels,
        match.identities,
        naming.names,
        match.base?.publicationId ?? null,
        run.review,
      ];
      return runStage(context, { stage: 'stability', run, inputs }, async () => {
        const definition = await frozenDefinition(artifacts, run);
        const base = match.base && (await repositories.publications.current(run.pipeline));
        const report = judgeStability(
          await comparison(context, { run, features, clustering, match, definition, base }),
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
          publishedAsOf: base?.asOf ?? null,
        });
        return { verdict, ...publication, adjustedRand, movedShare, report: kept };
      });
    },
  };
}

interface Compared {
  run: Run;
  features: Features;
  clustering: Clustering;
  match: Match;
  definition: Definition;
  base: Publication | null;
}

async function comparison(context: ActivityContext, compared: Compared): Promise<StabilityInput> {
  const { features, clustering, match, definition, base } = compared;
  const { artifacts } = context;
  const columns = await readValues(artifacts, features.values);
  const { labels } = await readLabels(artifacts, clustering.labels);
  const segmentIds = match.segments
    .toSorted((a, b) => a.cluster - b.cluster)
    .map(({ segmentId }) => segmentId);
  const current = { settings: definition.stability, columns, labels, segmentIds };
  return { ...current, previous: base && (await previous(context, base, { ...compared, ...current })) };
}

async function previous(
  context: ActivityContext,
  base: Publication,
  current: Compared & { columns: Columns; labels: Uint8Array; segmentIds: string[] },
): Promise<StabilityInput['previous']> {
  const { artifacts } = context;
  const { columns, labels, segmentIds, definition, features } = current;
  const join = joinCustomers(
    await readCustomers(artifacts, base.artifacts.customers),
    await readCustomers(artifacts, features.customers),
  );
  const before = await readLabels(artifacts, base.artifacts.labels);
  const previousIds = base.segments
    .toSorted((a, b) => a.cluster - b.cluster)
    .map(({ segmentId }) => segmentId);
  const model = await previousModel(artifacts, base.artifacts.model, definition);
  const relabelled = model && (await labelByPrevious(context, model, columns));
  const spendOf = (values: Columns) => spendCents(definition, values);
  const movements = traceMovements({
    join,
    previousIds,
    currentIds: segmentIds,
    previousLabels: before.labels,
    labels,
    relabelled,
    spendCents: spendOf(columns),
    previousSpendCents: model && spendOf(await readValues(artifacts, base.artifacts.values)),
  });
  return {
    join,
    labels: before.labels,
    segmentIds: previousIds,
    references: model?.references ?? [],
    relabelled,
    movements,
  };
}

const CENTS_PER_UNIT = 100;

/**
 * Spend per customer in whole cents, shape (rows,); null where the definition names no spend. Whole, since
 * sums of them are exact in any order.
 */
export function spendCents(
  { naming, features }: Pick<Definition, 'naming' | 'features'>,
  columns: Columns,
): Float64Array | null {
  const values = naming.spend === undefined ? undefined : columns[naming.spend];
  if (!values) return null;
  const { unit } = [...features.aggregate, ...features.derive].find(({ name }) => name === naming.spend)!;
  const factor = unit === 'cents' ? 1 : CENTS_PER_UNIT;
  return values.map((amount) => Math.round(amount * factor));
}
