import { noiseBand } from '../numeric/movement/noise-band.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Match } from '../pipelines/contracts/stages.ts';
import { holdMembers } from '../pipelines/stages/hold-members.ts';
import { type CustomerJoin, nobodyBefore } from '../pipelines/stages/match.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import type { Labels } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { readModel } from './previous-model.ts';

export interface Settling {
  run: Run;
  clustering: Pick<Clustering, 'model'>;
  /** What the model says of this run's customers. */
  now: Labels;
  /** Segment of each cluster. */
  currentIds: readonly string[];
  /** As published before; null: nothing is. */
  previous: {
    join: CustomerJoin;
    segmentIds: readonly string[];
    labels: Uint8Array;
    waiting: Uint8Array | null;
    /** Date that it was of. */
    asOf: string | null;
  } | null;
}

/** Who is in which segment once those at a border are held back; nothing where the definition does not ask for it. */
export async function settleMembers(
  context: ActivityContext,
  { run, clustering, now, currentIds, previous }: Settling,
): Promise<Pick<Match, 'members' | 'held'>> {
  const { artifacts } = context;
  const { stability } = await frozenDefinition(artifacts, run);
  if (!stability.hysteresis) return {};
  const rows = now.labels.length;
  const { labels, waiting, held } = holdMembers({
    join: previous?.join ?? nobodyBefore(rows),
    previousIds: previous?.segmentIds ?? [],
    currentIds,
    previousLabels: previous?.labels ?? new Uint8Array(0),
    previousWaiting: previous && (await hasComeSince(context, run, previous)) ? previous.waiting : null,
    ...{ labels: now.labels, margins: now.margin, noiseBand: await bandOf(context, clustering) },
  });
  const members = await artifacts.write('labels', encodeColumns({ ...now, labels, waiting }), {
    ...{ runId: run.runId, ending: 'columns', rows },
  });
  return { members, held };
}

/** The same day seen again is no second sight of anybody: who waits goes on waiting. */
async function hasComeSince(
  { repositories }: ActivityContext,
  { runId }: Run,
  previous: { asOf: string | null },
): Promise<boolean> {
  const { asOf } = await repositories.runs.get(runId);
  return asOf === null || previous.asOf === null || asOf > previous.asOf;
}

/** Without a measured border nobody is at one. */
async function bandOf({ artifacts }: ActivityContext, { model }: Settling['clustering']): Promise<number> {
  const { confidence } = await readModel(artifacts, model);
  return confidence ? noiseBand(confidence) : 0;
}
