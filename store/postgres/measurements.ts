import type { Knex } from 'knex';
import type { MeasuredMovement, MeasuredSegment, RunMeasurement } from '../../pipelines/contracts/alerts.ts';
import type { Verdict } from '../../pipelines/contracts/run.ts';

/** A run and the run of the publication it was compared with. */
export interface MeasuredRun {
  runId: string;
  baseRunId: string | null;
}

export interface PublishedOptions {
  limit: number;
  /** ISO date, included; null or absent: all. */
  upTo?: string | null;
  /** Only those that readers have seen, without those that were kept aside. */
  isSeen?: boolean;
}

/** The newest publications by their as-of dates, oldest first, each with the one it was compared with. */
export async function publishedRuns(
  knex: Knex,
  pipeline: string,
  { limit, upTo = null, isSeen = false }: PublishedOptions,
): Promise<MeasuredRun[]> {
  const query = knex('publications as u')
    .join('runs as r', 'r.run_id', 'u.run_id')
    .leftJoin('publications as b', 'b.publication_id', 'u.replaced_publication_id')
    .where('u.pipeline', pipeline)
    .orderByRaw('r.as_of desc nulls last, u.publication_id desc')
    .limit(limit)
    .select<MeasuredRun[]>({ runId: 'u.run_id', baseRunId: 'b.run_id' });
  if (upTo !== null) query.where('r.as_of', '<=', upTo);
  if (isSeen) query.whereIn('u.publication_id', seenPublications(knex, pipeline));
  return (await query).reverse();
}

/** What the pointer pointed at, one after the other: one that is kept aside names what was before it, and none names it. */
function seenPublications(knex: Knex, pipeline: string): Knex.QueryBuilder {
  return knex
    .withRecursive('seen', (query) =>
      query
        .select('p.published_publication_id as publication_id')
        .from('pipelines as p')
        .where('p.name', pipeline)
        .union((next) =>
          next
            .select('e.replaced_publication_id')
            .from('seen')
            .join('publications as e', 'e.publication_id', 'seen.publication_id'),
        ),
    )
    .select('publication_id')
    .from('seen')
    .whereNotNull('publication_id');
}

/** What is kept of so many runs, read in four statements however many they are. */
export async function measureRuns(knex: Knex, runs: readonly MeasuredRun[]): Promise<RunMeasurement[]> {
  const own = runs.map(({ runId }) => runId);
  const all = [
    ...new Set(runs.flatMap(({ runId, baseRunId }) => [runId, ...(baseRunId ? [baseRunId] : [])])),
  ];
  const heads = new Map((await headsOf(knex, all)).map((head) => [head.runId, head]));
  const segments = byRun(await segmentsOf(knex, all));
  const movements = byRun(await movementsOf(knex, own));
  const metrics = byRun(await metricsOf(knex, own));
  return runs.map(({ runId, baseRunId }): RunMeasurement => {
    const { asOf = null, verdict = null } = heads.get(runId) ?? {};
    return {
      ...{ runId, asOf, verdict },
      previousAsOf: (baseRunId !== null && heads.get(baseRunId)?.asOf) || null,
      segments: segments.get(runId) ?? [],
      previousSegments: baseRunId === null ? null : (segments.get(baseRunId) ?? []),
      movements: movements.get(runId) ?? [],
      metrics: metrics.get(runId) ?? [],
    };
  });
}

type OfRun<T> = T & { runId: string };

/** Without the run each belongs to, which is its place already. */
function byRun<T>(rows: OfRun<T>[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const { runId, ...row } of rows) found.set(runId, [...(found.get(runId) ?? []), row as T]);
  return found;
}

function headsOf(knex: Knex, runIds: readonly string[]) {
  return knex('runs')
    .whereIn('run_id', runIds)
    .select<OfRun<{ asOf: string | null; verdict: Verdict | null }>[]>({
      ...{ runId: 'run_id', asOf: 'as_of', verdict: 'verdict' },
    });
}

/**
 * Under the names that people know them by now. Whether these hold is as the view published_segments has it; of a run
 * that readers saw before, as it was then: what has been renamed since was in doubt all the same.
 */
function segmentsOf(knex: Knex, runIds: readonly string[]): Promise<OfRun<MeasuredSegment>[]> {
  return knex('segment_snapshots as s')
    .leftJoin('segment_names as n', (join) =>
      join.on('n.segment_id', 's.segment_id').onNotNull('n.valid_from').onNull('n.valid_to'),
    )
    .leftJoin('publications as u', 'u.run_id', 's.run_id')
    .leftJoin('published_runs as p', 'p.run_id', 's.run_id')
    .whereIn('s.run_id', runIds)
    .orderBy(['s.run_id', 's.segment_id'])
    .select<OfRun<MeasuredSegment>[]>(
      {
        ...{ runId: 's.run_id', segmentId: 's.segment_id', customers: 's.customers', event: 's.event' },
        ...{ spendShare: 's.spend_share', typical: 's.typical' },
      },
      knex.raw('coalesce(n.name, s.name) as name'),
      knex.raw(`
        case when u.run_id is not null and p.run_id is null then s.name_status
             when n.author = 'manual' then 'holds'
             when n.status_when_given is not null and (n.valid_from > u.published_at or n.name <> s.name)
               then n.status_when_given
             else s.name_status end = 'questionable' as "isQuestionable"`),
    );
}

function movementsOf(knex: Knex, runIds: readonly string[]): Promise<OfRun<MeasuredMovement>[]> {
  return knex('movements')
    .whereIn('run_id', runIds)
    .orderBy(['run_id', 'from_segment_id', 'to_segment_id', 'cause'])
    .select<OfRun<MeasuredMovement>[]>({
      ...{ runId: 'run_id', from: 'from_segment_id', to: 'to_segment_id', cause: 'cause' },
      ...{ customers: 'customers', spendCents: 'spend_cents' },
    });
}

function metricsOf(knex: Knex, runIds: readonly string[]) {
  return knex('stability_metrics')
    .whereIn('run_id', runIds)
    .orderBy(['run_id', 'metric', 'subject'])
    .select<OfRun<RunMeasurement['metrics'][number]>[]>({
      ...{ runId: 'run_id', metric: 'metric', subject: 'subject', value: 'value', threshold: 'threshold' },
    });
}
