import type { PartStages } from '../pipelines/contracts/parts.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { deriveColumnsInTurns, whenMissingOf } from '../pipelines/stages/features.ts';
import { type FeaturePlan, inParts } from '../pipelines/stages/parts.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import { aggregatePieces, findPieces } from './aggregate.ts';
import { nearestSegments } from './assign.ts';
import { writeLabels } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { encodeFeaturePart, readFeaturePart } from './part-files.ts';
import { partStep } from './part-step.ts';
import { readModel } from './previous-model.ts';

type FeatureParts = Pick<PartStages, 'planParts' | 'aggregatePart' | 'assignPart'>;

/** Parts of stages: what any worker can do of a run beside the others; the stage's own activity joins them. */
export function createPartActivities(context: ActivityContext): FeatureParts {
  const { artifacts } = context;
  const write = (run: Run, bytes: Buffer, about: { ending: string; rows: number }) =>
    artifacts.write('part', bytes, { runId: run.runId, ...about });
  return {
    planParts: ({ run, extract, parts }) =>
      partStep(context, { name: 'parts', run, inputs: [...inputsOf(extract), parts] }, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run);
        const { ranges, words } = await findPieces(context, { extract, definition, signal, parts });
        const plan: FeaturePlan = { parts: inParts(ranges, parts), words };
        const rows = plan.parts.length;
        return { plan: await write(run, encodeJson(plan), { ending: 'json', rows }), parts: rows };
      }),

    aggregatePart: ({ run, extract, plan, part }) =>
      partStep(
        context,
        { name: `features-${part}`, run, inputs: [...inputsOf(extract), plan, part] },
        async ({ signal }) => {
          const definition = await frozenDefinition(artifacts, run);
          const { parts, words } = decodeJson(await artifacts.read(plan)) as FeaturePlan;
          const pieces = { ranges: parts[part]!, words };
          const made = await aggregatePieces(context, { extract, definition, signal, ...pieces });
          const { customer_id: customers, ...others } = made.texts;
          const { columns, replaced } = await deriveColumnsInTurns(made.numbers, definition.features.derive, {
            whenMissing: whenMissingOf(definition.features.aggregate),
            onTurn: () => signal.throwIfAborted(),
            isPart: true,
          });
          const bytes = encodeFeaturePart({ customers: customers!, columns, words: others });
          return { part: await write(run, bytes, { ending: 'columns', rows: made.rows }), replaced };
        },
      ),

    assignPart: ({ run, part, number }) =>
      partStep(
        context,
        { name: `assign-${number}`, run, inputs: [part, run.champion!.model] },
        async ({ signal }) => {
          const { columns } = await readFeaturePart(artifacts, part);
          const model = await readModel(artifacts, run.champion!.model);
          const found = await nearestSegments(context, { columns, model, signal });
          return { labels: await writeLabels(artifacts, found, { kind: 'part', runId: run.runId }) };
        },
      ),
  };
}

function inputsOf({ artifact, asOf, customers }: Parameters<FeatureParts['planParts']>[0]['extract']) {
  return [artifact, asOf, ...(customers ? [customers.artifact] : [])];
}
