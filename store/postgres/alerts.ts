import type { Knex } from 'knex';
import {
  ALERT_STATES,
  type AlertChanges,
  type AlertMoment,
  type AlertState,
  type Finding,
  type OpenAlert,
} from '../../pipelines/contracts/alerts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { addMessages } from './add-messages.ts';
import { translating } from './database-errors.ts';
import { type MeasuredRun, measureRuns, type PublishedOptions, publishedRuns } from './measurements.ts';
import { lockRun } from './run-lock.ts';

export interface AlertRecord {
  alertId: string;
  pipeline: string;
  rule: string;
  subject: string;
  severity: Finding['severity'];
  owner: string | null;
  state: AlertState;
  title: string;
  finding: Finding;
  occurrences: number;
  /** Null where it is about runs that there are not. */
  openedInRun: string | null;
  lastSeenRun: string | null;
  openedAt: string;
  lastSeenAt: string;
  acknowledged: Handled | null;
  resolved: Handled | null;
}

export interface Handled {
  at: string;
  by: string;
  note: string | null;
}

interface AlertRow {
  alert_id: string;
  pipeline: string;
  rule: string;
  subject: string;
  severity: Finding['severity'];
  owner: string | null;
  state: AlertState;
  title: string;
  finding: Finding;
  magnitude: number;
  told_magnitude: number;
  occurrences: number;
  silent_runs: number;
  opened_in_run: string | null;
  last_seen_run: string | null;
  opened_at: Date;
  last_seen_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  acknowledged_note: string | null;
  resolved_at: Date | null;
  resolved_by: string | null;
  resolved_note: string | null;
}

/** What becomes of a run's findings, once it is known what is open. */
export type DecideAlerts = (known: { open: OpenAlert[]; wasHeld: boolean }) => AlertChanges;

export interface AlertCheck {
  pipeline: string;
  runId: string;
  moment: AlertMoment;
  decide: DecideAlerts;
}

export type AlertsRepository = ReturnType<typeof createAlertsRepository>;

/** What people are told of runs, and what they did about it. All functions may throw POSTGRES_UNREACHABLE. */
export const createAlertsRepository = (knex: Knex) =>
  translating({
    /** Asks once for each run and moment; a second time nothing is changed. Of a publication: see `publish`. */
    async check(request: AlertCheck): Promise<void> {
      await knex.transaction(async (transaction) => {
        await transaction('pipelines').where({ name: request.pipeline }).forNoKeyUpdate();
        await checkAlerts(transaction, request);
      });
    },

    /** What runs measured, in the order given. */
    measure: (runs: readonly MeasuredRun[]) => measureRuns(knex, runs),

    /** What the newest publications of a pipeline measured, in the order of their dates. */
    async measurePublished(pipeline: string, options: PublishedOptions) {
      return measureRuns(knex, await publishedRuns(knex, pipeline, options));
    },

    /** Newest first. */
    async list(filter: { pipeline?: string; all?: boolean } = {}): Promise<AlertRecord[]> {
      const query = knex<AlertRow>('alerts').orderBy([{ column: 'opened_at', order: 'desc' }, 'alert_id']);
      if (filter.pipeline !== undefined) query.where({ pipeline: filter.pipeline });
      if (!filter.all) query.whereNot({ state: 'resolved' });
      return (await query).map(recordOf);
    },

    /** @throws PipelineError INPUT_INVALID for an id that there is not */
    async get(alertId: string): Promise<AlertRecord> {
      return recordOf(await rowOf(knex, alertId));
    },

    /**
     * Says that somebody looks at it: it stays until it is resolved, and is told again only when it gets worse.
     * The first to say so stands; one that is resolved stays resolved.
     *
     * @throws PipelineError INPUT_INVALID for an id that there is not
     */
    acknowledge: (alertId: string, by: { author: string; note: string | null }) =>
      handle(knex, alertId, { ...by, to: 'acknowledged', from: ['open'] }),

    /** Ends an alert: what moves next is a new one. The first to resolve it stands. @throws as acknowledge */
    resolve: (alertId: string, by: { author: string; note: string | null }) =>
      handle(knex, alertId, { ...by, to: 'resolved', from: ['open', 'acknowledged'] }),

    /** A held run has ended: nobody need decide on it any more. Of what else it told nothing is changed. */
    async settleHeld(runId: string, outcome: string): Promise<void> {
      await knex('alerts')
        .where({ opened_in_run: runId, subject: runId })
        .whereNot({ state: 'resolved' })
        .update(
          resolvedBy(
            knex,
            STRATA,
            outcome === 'published' ? 'the run was published' : `the run has ended: ${outcome}`,
          ),
        );
    },
  });

export const STRATA = 'strata';

/**
 * Decides on a run's findings in the transaction that makes them true. The caller has locked the pipeline's row, so
 * that two runs never decide at once.
 */
export async function checkAlerts(transaction: Knex.Transaction, request: AlertCheck): Promise<void> {
  const { pipeline, runId, moment, decide } = request;
  if (moment === 'held') {
    // A cancel may have closed it meanwhile: nobody is asked to decide on it any more.
    const run = await lockRun(transaction, runId);
    if (run.isClosed || run.isPublished) return;
  }
  const first = await transaction('alert_checks')
    .insert({ run_id: runId, moment })
    .onConflict(['run_id', 'moment'])
    .ignore()
    .returning('run_id');
  if (first.length === 0) return;
  const held = await transaction('alert_checks').where({ run_id: runId, moment: 'held' }).first();
  // Locked: a person who resolves one at this moment waits, or is waited for.
  const rows = await transaction<AlertRow>('alerts')
    .where({ pipeline })
    .whereNot({ state: 'resolved' })
    // Whether a run was missed no other run can say.
    .whereNotNull('opened_in_run')
    .orderBy('alert_id')
    .forUpdate();
  const changes = decide({ open: rows.map(openOf), wasHeld: moment === 'published' && held !== undefined });
  await applyChanges(transaction, { pipeline, runId }, changes);
  await addMessages(transaction, { pipeline, runId, messages: changes.messages });
}

async function applyChanges(
  transaction: Knex.Transaction,
  { pipeline, runId }: { pipeline: string; runId: string },
  { opened, repeated, silent, resolved }: AlertChanges,
): Promise<void> {
  if (opened.length > 0) {
    await transaction('alerts').insert(
      opened.map(({ alertId, finding }) => ({
        ...{ alert_id: alertId, pipeline, rule: finding.rule, subject: finding.subject },
        ...seenIn(runId, finding),
        ...{ told_magnitude: finding.magnitude, opened_in_run: runId },
      })),
    );
  }
  for (const { alertId, finding, isTold } of repeated) {
    await transaction('alerts')
      .where({ alert_id: alertId })
      .update({
        ...seenIn(runId, finding),
        // Held and then published is one run.
        occurrences: transaction.raw('occurrences + (last_seen_run <> ?)::int', [runId]),
        ...{ silent_runs: 0, last_seen_at: transaction.fn.now() },
        // Worse than what was acknowledged: it is news again.
        ...(isTold && { ...UNACKNOWLEDGED, state: 'open', told_magnitude: finding.magnitude }),
      });
  }
  await transaction('alerts').whereIn('alert_id', silent).increment('silent_runs');
  await transaction('alerts')
    .whereIn('alert_id', resolved)
    .update(resolvedBy(transaction, STRATA, `run ${runId} and those before no longer show it`));
}

const UNACKNOWLEDGED = { acknowledged_at: null, acknowledged_by: null, acknowledged_note: null };

function seenIn(runId: string, finding: Finding) {
  const { severity, owner, title, magnitude } = finding;
  return { severity, owner, title, magnitude, finding: JSON.stringify(finding), last_seen_run: runId };
}

export function resolvedBy(knex: Knex, author: string, note: string | null) {
  return { state: 'resolved', resolved_at: knex.fn.now(), resolved_by: author, resolved_note: note };
}

async function handle(
  knex: Knex,
  alertId: string,
  {
    author,
    note,
    to,
    from,
  }: { author: string; note: string | null; to: 'acknowledged' | 'resolved'; from: AlertState[] },
): Promise<{ alert: AlertRecord; isNew: boolean }> {
  const changed =
    to === 'resolved'
      ? resolvedBy(knex, author, note)
      : { state: to, acknowledged_at: knex.fn.now(), acknowledged_by: author, acknowledged_note: note };
  const rows = await knex('alerts')
    .where({ alert_id: alertId })
    .whereIn('state', from)
    .update(changed)
    .returning<AlertRow[]>('*');
  if (rows[0]) return { alert: recordOf(rows[0]), isNew: true };
  return { alert: recordOf(await rowOf(knex, alertId)), isNew: false };
}

async function rowOf(knex: Knex, alertId: string): Promise<AlertRow> {
  const row = await knex<AlertRow>('alerts').where({ alert_id: alertId }).first();
  if (row) return row;
  throw new PipelineError(
    'INPUT_INVALID',
    `alert ${alertId.slice(0, 40)} needs to be one that there is; npm run strata -- alerts list --all lists them`,
  );
}

function openOf(row: AlertRow): OpenAlert {
  return {
    ...{ alertId: row.alert_id, rule: row.rule, subject: row.subject },
    state: row.state === ALERT_STATES[1] ? 'acknowledged' : 'open',
    ...{ toldMagnitude: row.told_magnitude, silentRuns: row.silent_runs },
  };
}

function recordOf(row: AlertRow): AlertRecord {
  const handled = (at: Date | null, by: string | null, note: string | null): Handled | null =>
    at === null ? null : { at: at.toISOString(), by: by!, note };
  return {
    ...{ alertId: row.alert_id, pipeline: row.pipeline, rule: row.rule, subject: row.subject },
    ...{ severity: row.severity, owner: row.owner, state: row.state, title: row.title, finding: row.finding },
    ...{ occurrences: row.occurrences, openedInRun: row.opened_in_run, lastSeenRun: row.last_seen_run },
    ...{ openedAt: row.opened_at.toISOString(), lastSeenAt: row.last_seen_at.toISOString() },
    acknowledged: handled(row.acknowledged_at, row.acknowledged_by, row.acknowledged_note),
    resolved: handled(row.resolved_at, row.resolved_by, row.resolved_note),
  };
}
