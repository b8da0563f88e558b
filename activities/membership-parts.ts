import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import { idAt } from '../pipelines/contracts/customers.ts';
import type { PartStages } from '../pipelines/contracts/parts.ts';
import { CAUSE_WORDS } from '../pipelines/stages/movements.ts';
import { type MembershipPlan, rowsOfParts, textsBetween } from '../pipelines/stages/parts.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { type Columns, decodeColumns, encodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import type { MembershipRows } from '../store/postgres/copy-binary.ts';
import { labelsIn } from './columns.ts';
import type { ActivityContext } from './context.ts';
import { textColumns, textsOf } from './part-files.ts';
import { partStep } from './part-step.ts';
import { inputsOfPersisting, membershipRows, saveSegments } from './persist.ts';
import { withHeartbeats } from './stage.ts';

const IDS = 'customers:';
/** Id of the first customer after the part; none of the last one. Here, since no payload may hold a customer's id. */
const NEXT = 'next:';

/** Memberships in parts: files of rows, each loaded by any worker; persistRun attaches them all in one moment. */
export function createMembershipActivities(
  context: ActivityContext,
): Pick<PartStages, 'planMemberships' | 'loadMemberships'> {
  const { artifacts, repositories } = context;
  return {
    planMemberships({ run, parts, ...product }) {
      const call = {
        name: 'memberships',
        run,
        inputs: [...inputsOfPersisting({ run, ...product }), run, parts],
      };
      return partStep(context, call, async ({ signal, onProgress }) => {
        await saveSegments(context, { run, ...product });
        const { segmentIds, ...rows } = await membershipRows(context, { run, ...product });
        const ranges = rowsOfParts(rows.labels.length, parts);
        const about = { runId: run.runId, ending: 'columns' };
        const plan: MembershipPlan = { parts: [], segmentIds: [...segmentIds] };
        for (const { first, end } of ranges) {
          signal.throwIfAborted();
          const bytes = encodeColumns(columnsBetween(rows, first, end));
          plan.parts.push(await artifacts.write('part', bytes, { ...about, rows: end - first }));
          onProgress(plan.parts.length, ranges.length);
        }
        const kept = { ...about, ending: 'json', rows: plan.parts.length };
        return { plan: await artifacts.write('part', encodeJson(plan), kept), parts: plan.parts.length };
      });
    },

    /** Not kept as a step: PostgreSQL knows what is loaded, and a retry has to find out whether it still is. */
    async loadMemberships({ run, plan, since, part: number }) {
      const began = performance.now();
      const { rows } = await withHeartbeats(`memberships-${number}`, async (work) => {
        const { parts, segmentIds } = decodeJson(await artifacts.read(plan)) as MembershipPlan;
        const { next, ...loaded } = await readPart(artifacts, parts[number]!);
        const part = {
          ...{ number, of: parts.length, plan: { sha256: plan.sha256, since } },
          ...{ first: number === 0 ? null : idAt(loaded.customers, 0), end: next },
        };
        return repositories.memberships.loadPart(run.runId, part, { ...loaded, segmentIds }, work);
      });
      return { rows, ms: performance.now() - began };
    },
  };
}

type Rows = Omit<MembershipRows, 'segmentIds'>;

function columnsBetween(
  { customers, labels, distance, margin, moveCauses }: Rows,
  first: number,
  end: number,
): Columns {
  const isLast = end === labels.length;
  const next: CustomerIds = isLast
    ? { offsets: new Uint32Array(1), bytes: new Uint8Array(0) }
    : textsBetween(customers, end, end + 1);
  return {
    ...textColumns(IDS, textsBetween(customers, first, end)),
    ...textColumns(NEXT, next),
    labels: labels.slice(first, end),
    distance: distance.slice(first, end),
    margin: margin.slice(first, end),
    ...(moveCauses && { causes: moveCauses.codes.slice(first, end) }),
  };
}

async function readPart(
  artifacts: ArtifactStore,
  ref: Parameters<ArtifactStore['read']>[0],
): Promise<Rows & { next: string | null }> {
  const columns = decodeColumns(await artifacts.read(ref));
  const next = textsOf(columns, NEXT);
  const { causes } = columns;
  return {
    customers: textsOf(columns, IDS),
    ...labelsIn(columns),
    moveCauses: causes instanceof Uint8Array ? { codes: causes, words: CAUSE_WORDS } : null,
    next: next.offsets.length > 1 ? idAt(next, 0) : null,
  };
}
