import type { Knex } from 'knex';
import type { Finding } from '../../pipelines/contracts/alerts.ts';
import type {
  DueTime,
  KnownMissed,
  MissedCause,
  MissedChanges,
  MissedTime,
} from '../../pipelines/contracts/missed-runs.ts';
import { addMessages } from './add-messages.ts';
import { resolvedBy, STRATA } from './alerts.ts';
import { translating } from './database-errors.ts';

interface MissedRow {
  schedule: string;
  due_at: Date;
  cause: MissedCause;
  met_at: Date | null;
  alert_id: string;
  state: string;
}

export interface MissedRequest {
  pipeline: string;
  /** Of the definition as it is now: the pipeline may never have run. */
  definitionSha256: string;
  /** ISO time: due times before it are asked for only while their alert is open. */
  since: string;
  decide: (known: KnownMissed[]) => MissedChanges;
}

export type MissedRunsRepository = ReturnType<typeof createMissedRunsRepository>;

/** Due times that have no run, and the alerts about them. All functions may throw POSTGRES_UNREACHABLE. */
export const createMissedRunsRepository = (knex: Knex) =>
  translating({
    /** Due times that alerts were made of, in their order: those since then, and those whose alert is open. */
    known: (pipeline: string, since: string): Promise<KnownMissed[]> => knownOf(knex, pipeline, since),

    /** The earliest due time that an alert waits for; null: none does. ISO time. */
    async earliestOpen(): Promise<string | null> {
      const [row] = await joined(knex)
        .whereNot('a.state', 'resolved')
        .whereNull('m.met_at')
        .min<{ first: Date | null }[]>({ first: 'm.due_at' });
      return row?.first?.toISOString() ?? null;
    },

    /** Decides on a pipeline's due times and keeps what becomes of them, one at a time: no due time is told twice. */
    async record(request: MissedRequest): Promise<void> {
      const { pipeline, definitionSha256, since, decide } = request;
      await knex.transaction(async (transaction) => {
        await transaction('pipelines')
          .insert({ name: pipeline, definition_sha256: definitionSha256 })
          .onConflict('name')
          .ignore();
        await transaction('pipelines').where({ name: pipeline }).forNoKeyUpdate();
        await applyChanges(transaction, pipeline, decide(await knownOf(transaction, pipeline, since)));
      });
    },
  });

function joined(knex: Knex) {
  return knex('missed_runs as m').join('alerts as a', 'a.alert_id', 'm.alert_id');
}

async function knownOf(knex: Knex, pipeline: string, since: string): Promise<KnownMissed[]> {
  const rows = await joined(knex)
    .where('m.pipeline', pipeline)
    .where((query) => query.where('m.due_at', '>=', since).orWhereNot('a.state', 'resolved'))
    .orderBy(['m.schedule', 'm.due_at'])
    .select<MissedRow[]>('m.schedule', 'm.due_at', 'm.cause', 'm.met_at', 'm.alert_id', 'a.state');
  return rows.map((row) => ({
    ...{ schedule: row.schedule, dueAt: row.due_at.toISOString(), cause: row.cause, alertId: row.alert_id },
    ...{ isOpen: row.state !== 'resolved', isMet: row.met_at !== null },
  }));
}

async function applyChanges(
  transaction: Knex.Transaction,
  pipeline: string,
  { opened, changed, met, resolved, messages }: MissedChanges,
): Promise<void> {
  for (const { alertId, finding, times } of opened) {
    const { rule, subject, magnitude } = finding;
    await transaction('alerts').insert({
      ...{ alert_id: alertId, pipeline, rule, subject, ...rowOf(finding) },
      ...{ told_magnitude: magnitude, occurrences: times.length },
    });
    await addTimes(transaction, pipeline, { alertId, times });
  }
  for (const { alertId, finding, times } of changed) {
    await transaction('alerts')
      .where({ alert_id: alertId })
      .update({
        ...rowOf(finding),
        occurrences: transaction.raw('occurrences + ?', [times.length]),
        last_seen_at: transaction.fn.now(),
      });
    await addTimes(transaction, pipeline, { alertId, times });
  }
  for (const one of met)
    await transaction('missed_runs').where(keyOf(pipeline, one)).update({ met_at: transaction.fn.now() });
  await transaction('alerts')
    .whereIn('alert_id', resolved)
    .whereNot({ state: 'resolved' })
    .update(resolvedBy(transaction, STRATA, 'its runs have been started'));
  for (const { alertId, ...message } of messages)
    await addMessages(transaction, { pipeline, runId: null, alertId, messages: [message] });
}

function rowOf(finding: Finding) {
  const { severity, owner, title, magnitude } = finding;
  return { severity, owner, title, magnitude, finding: JSON.stringify(finding) };
}

async function addTimes(
  transaction: Knex.Transaction,
  pipeline: string,
  { alertId, times }: { alertId: string; times: readonly MissedTime[] },
): Promise<void> {
  if (times.length === 0) return;
  await transaction('missed_runs').insert(
    times.map(({ cause, ...one }) => ({ ...keyOf(pipeline, one), cause, alert_id: alertId })),
  );
}

function keyOf(pipeline: string, { schedule, dueAt }: DueTime) {
  return { pipeline, schedule, due_at: dueAt };
}
