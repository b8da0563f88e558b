import type { Knex } from 'knex';
import { type RunRecord, type RunRow, recordOf } from './run-records.ts';

/** More than one is too many already; so many are told to whoever has to choose. */
const MATCHES = 6;

/**
 * The runs that a person may mean: by id, by the id of a workflow or of one of its executions (the newest run of it),
 * else by how the id begins, with `run_` in front or without. Newest first; more than one only of such beginnings.
 */
export async function matchingRuns(knex: Knex, { text }: { text: string }): Promise<RunRecord[]> {
  const rows = () => knex<RunRow>('runs').orderBy('sequence', 'desc').limit(MATCHES);
  const [exact] = await rows().where((query) =>
    query.where({ run_id: text }).orWhere({ workflow_id: text }).orWhere({ workflow_run_id: text }),
  );
  if (exact) return [recordOf(exact)];
  const beginning = await rows().whereRaw("(starts_with(run_id, ?) or starts_with(run_id, 'run_' || ?))", [
    text,
    text,
  ]);
  return beginning.map(recordOf);
}

export interface RunsAsked {
  pipeline?: string;
  limit: number;
  /** Only those that have ended, or that have not. */
  isEnded?: boolean;
}

/** Newest first. */
export async function listRuns(knex: Knex, { pipeline, limit, isEnded }: RunsAsked): Promise<RunRecord[]> {
  const query = knex<RunRow>('runs').orderBy('sequence', 'desc').limit(limit);
  if (pipeline !== undefined) query.where({ pipeline });
  if (isEnded === true) query.whereNotNull('closed_at');
  if (isEnded === false) query.whereNull('closed_at');
  return (await query).map(recordOf);
}

export interface UsualStage {
  stage: string;
  /** Median of its times. */
  ms: number;
  /** Runs that it was taken from. */
  runs: number;
}

/** How long each stage took in the last published runs of a kind, the asked run left out. */
export async function usualStages(
  knex: Knex,
  { pipeline, kind, except, runs }: { pipeline: string; kind: string; except: string | null; runs: number },
): Promise<UsualStage[]> {
  const { rows } = await knex.raw<{ rows: { stage: string; ms: number; runs: number }[] }>(
    `select s.stage, percentile_cont(0.5) within group (order by s.duration_ms) as ms, count(*) as runs
     from run_stages s
     where s.run_id in (
       select run_id from runs
       where pipeline = ? and kind = ? and outcome = 'published' and run_id is distinct from ?
       order by sequence desc limit ?)
     group by s.stage`,
    [pipeline, kind, except, runs],
  );
  return rows;
}
