import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { PartedRun, PartStages } from '../pipelines/contracts/parts.ts';
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

/** Parts of stages: what any worker can do of a run beside the others; the stage's own activity joins them. */
export function createPartActivities(
  context: ActivityContext,
): Pick<PartStages, 'planParts' | 'aggregatePart' | 'assignPart'> {
  const { artifacts } = context;
  const write = (run: PartedRun, bytes: Buffer, about: { ending: string; rows: number }) =>
    artifacts.write('part', bytes, { runId: run.runId, ...about });
  const readPlan = async (plan: ArtifactRef) => decodeJson(await artifacts.read(plan)) as FeaturePlan;
  return {
    planParts({ run, extract, parts }) {
      const { artifact, asOf, customers } = extract;
      const parted = { artifact, asOf, ...(customers && { customers }) };
      const call = { name: 'parts', run, inputs: [run, parted, parts] };
      return partStep(context, call, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run);
        const { ranges, words } = await findPieces(context, { extract, definition, signal, parts });
        const plan: FeaturePlan = { run, extract: parted, parts: inParts(ranges, parts), words };
        const rows = plan.parts.length;
        return { plan: await write(run, encodeJson(plan), { ending: 'json', rows }), parts: rows };
      });
    },

    aggregatePart({ run: parted, plan, part }) {
      const call = { name: `features-${part}`, run: parted, inputs: [plan, part] };
      return partStep(context, call, async ({ signal }) => {
        const { run, extract, parts, words } = await readPlan(plan);
        const definition = await frozenDefinition(artifacts, run);
        const pieces = { ranges: parts[part]!, words };
        const made = await aggregatePieces(context, { extract, definition, signal, ...pieces });
        const { customer_id: customers, ...others } = made.texts;
        const { columns, replaced } = await deriveColumnsInTurns(made.numbers, definition.features.derive, {
          whenMissing: whenMissingOf(definition.features.aggregate),
          onTurn: () => signal.throwIfAborted(),
          isPart: true,
        });
        const bytes = encodeFeaturePart({ customers: customers!, columns, words: others, replaced });
        return { part: await write(run, bytes, { ending: 'columns', rows: made.rows }) };
      });
    },

    assignPart({ run: parted, plan, part, features }) {
      const call = { name: `assign-${part}`, run: parted, inputs: [plan, features] };
      return partStep(context, call, async ({ signal }) => {
        const { run } = await readPlan(plan);
        const { columns } = await readFeaturePart(artifacts, features);
        const model = await readModel(artifacts, run.champion!.model);
        const found = await nearestSegments(context, { columns, model, signal });
        return { labels: await writeLabels(artifacts, found, { kind: 'part', runId: run.runId }) };
      });
    },
  };
}
