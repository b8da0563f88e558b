import type { Knex } from 'knex';
import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import { translating } from './database-errors.ts';

export interface DoneQuestion {
  pipeline: string;
  dates: readonly string[];
  /** A run of another one is another run. */
  definitionSha256: string;
  seed: number;
  k: number | null;
  extract: string | null;
}

/** What a run of a backfill came to, from its records. */
export interface RunFigures {
  runId: string;
  customers: number;
  k: number | null;
  /** Segments that go on under their key, that have a new one, and those before that go on no more. */
  survived: number;
  born: number;
  retired: number;
  /** Customers who were in the publication before and are in another segment now, by cause. */
  moved: { behaviour: number; model: number; border: number };
  movedShare: number | null;
  adjustedRand: number | null;
  verdict: RunSummary['verdict'];
}

export type BackfillsRepository = ReturnType<typeof createBackfillsRepository>;

/** What backfills ask of the records of runs. All functions may throw POSTGRES_UNREACHABLE. */
export const createBackfillsRepository = (knex: Knex) =>
  translating({
    /** Published runs that a backfill would make again, rising by as-of date; of several of a date the newest. */
    done: (question: DoneQuestion): Promise<{ asOf: string; runId: string }[]> => doneRuns(knex, question),

    /**
     * Day of the newest moment that a run of the pipeline has seen in this extract, or in the definition's source where
     * it was given none, in UTC; null before there was one.
     */
    async newestDay(pipeline: string, extract: string | null): Promise<string | null> {
      const row = await knex('runs')
        .where({ pipeline })
        .whereRaw(`input ->> 'extract' is not distinct from ?`, [extract])
        .max<{ newest: Date | null }>('source_watermark as newest')
        .first();
      return row?.newest?.toISOString().slice(0, 'YYYY-MM-DD'.length) ?? null;
    },

    /** In no order; a run without a publication has none. */
    figuresOf: (runIds: readonly string[]): Promise<RunFigures[]> => figuresOf(knex, runIds),
  });

async function doneRuns(
  knex: Knex,
  { pipeline, dates, definitionSha256, seed, k, extract }: DoneQuestion,
): Promise<{ asOf: string; runId: string }[]> {
  const rows = await knex('runs as r')
    .join('publications as u', 'u.run_id', 'r.run_id')
    .where({ 'r.pipeline': pipeline, 'r.kind': 'refit', 'r.seed': seed })
    .whereIn('r.as_of', [...dates])
    .whereRaw(`r.definition ->> 'sha256' = ?`, [definitionSha256])
    .orderBy(['r.as_of', { column: 'u.publication_id', order: 'desc' }])
    .select<{ as_of: string; run_id: string; input: StartInput }[]>('r.as_of', 'r.run_id', 'r.input');
  const done = new Map<string, string>();
  for (const { as_of, run_id, input } of rows) {
    const isSame = (input.k ?? null) === k && (input.extract ?? null) === extract;
    if (isSame && !done.has(as_of)) done.set(as_of, run_id);
  }
  return [...done].map(([asOf, runId]) => ({ asOf, runId }));
}

interface MovedRow {
  run_id: string;
  cause: keyof RunFigures['moved'];
  customers: string;
}

async function figuresOf(knex: Knex, runIds: readonly string[]): Promise<RunFigures[]> {
  const runs = await knex('runs')
    .join('publications', 'publications.run_id', 'runs.run_id')
    .whereIn('runs.run_id', [...runIds])
    .select<{ run_id: string; summary: RunSummary }[]>('runs.run_id', 'runs.summary');
  const moves = await knex('movements')
    .whereIn('run_id', [...runIds])
    .whereNotNull('from_segment_id')
    .whereNotNull('to_segment_id')
    .groupBy('run_id', 'cause')
    .select<MovedRow[]>('run_id', 'cause', knex.raw('sum(customers) as customers'));
  const segments = await knex('segments')
    .whereIn('born_in_run', [...runIds])
    .orWhereIn('retired_in_run', [...runIds])
    .select<{ born_in_run: string; retired_in_run: string | null }[]>('born_in_run', 'retired_in_run');
  return runs.map(({ run_id, summary }) => {
    const born = segments.filter(({ born_in_run }) => born_in_run === run_id).length;
    const moved = { behaviour: 0, model: 0, border: 0 };
    for (const row of moves) if (row.run_id === run_id) moved[row.cause] = Number(row.customers);
    return {
      runId: run_id,
      customers: summary.counts.customers,
      k: summary.k,
      survived: summary.segments.length - born,
      born,
      retired: segments.filter(({ retired_in_run }) => retired_in_run === run_id).length,
      moved,
      movedShare: summary.quality?.movedShare ?? null,
      adjustedRand: summary.quality?.adjustedRand ?? null,
      verdict: summary.verdict,
    };
  });
}
