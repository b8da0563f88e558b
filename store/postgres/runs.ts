import type { Knex } from 'knex';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type {
  Outcome,
  Run,
  RunKind,
  RunSummary,
  StartInput,
  Verdict,
} from '../../pipelines/contracts/run.ts';
import { addMessages, type NewMessage } from './add-messages.ts';
import { translating } from './database-errors.ts';
import { type Refits, type RefitsAsked, refitsAround } from './refits.ts';
import { lockOpenRun, lockRun, unknownRun } from './run-lock.ts';
import { listRuns, matchingRuns, type RunsAsked, type UsualStage, usualStages } from './run-lookup.ts';
import { type RunRecord, type RunRow, recordOf } from './run-records.ts';

export interface NewRun extends Pick<Run, 'runId' | 'pipeline' | 'seed' | 'definition' | 'workflow'> {
  kind: RunKind;
  /** As it was sent. */
  input: StartInput;
  /** What others are told of its opening. */
  messages?: readonly NewMessage[];
}

export type RunsRepository = ReturnType<typeof createRunsRepository>;

/** Runs, one row each, kept for ever. All functions may throw POSTGRES_UNREACHABLE, or RUN_UNKNOWN for a run that is not there. */
export const createRunsRepository = (knex: Knex) =>
  translating({
    /** @throws PipelineError RUN_ABANDONED when it was closed or cleaned up, RUN_UNKNOWN */
    async requireOpen(runId: string): Promise<void> {
      await knex.transaction((transaction) => lockOpenRun(transaction, runId, 'shared'));
    },

    /** Registers a run; the same run a second time changes nothing. */
    open: (run: NewRun): Promise<void> => openRun(knex, run),

    async get(runId: string): Promise<RunRecord> {
      const row = await knex<RunRow>('runs').where({ run_id: runId }).first();
      if (!row) throw unknownRun(runId);
      return recordOf(row);
    },

    /** Newest first. */
    list: (asked: RunsAsked): Promise<RunRecord[]> => listRuns(knex, asked),

    /** Those that a person may mean by an id, of a workflow too, or by the beginning of one; newest first. */
    matching: (asked: { text: string }): Promise<RunRecord[]> => matchingRuns(knex, asked),

    /** How long each stage took in the last published runs like this one. */
    usualStages: (asked: Parameters<typeof usualStages>[1]): Promise<UsualStage[]> =>
      usualStages(knex, asked),

    /** The run of a workflow execution; null when it never came so far as to register one. */
    async byWorkflow(workflow: { id: string; runId: string }): Promise<RunRecord | null> {
      const row = await knex<RunRow>('runs')
        .where({ workflow_id: workflow.id, workflow_run_id: workflow.runId })
        .first();
      return row ? recordOf(row) : null;
    },

    /** What there is of refits around an as-of date. */
    refitsAround: (asked: RefitsAsked): Promise<Refits> => refitsAround(knex, asked),

    /** The definition that a run goes by from now on, in place of the one it was opened with. */
    async adoptDefinition(runId: string, definition: ArtifactRef): Promise<void> {
      await knex.transaction(async (transaction) => {
        await lockOpenRun(transaction, runId);
        await transaction('runs')
          .where({ run_id: runId })
          .update({ definition: JSON.stringify(definition) });
      });
    },

    /**
     * The oldest run of the same pipeline opened before this one that has not ended, or that was abandoned and
     * not cleaned up yet: this one waits for it.
     */
    async earlierOpen(
      runId: string,
    ): Promise<{ runId: string; workflow: { id: string; runId: string } } | null> {
      const own = await knex<RunRow>('runs').where({ run_id: runId }).first();
      if (!own) throw unknownRun(runId);
      const row = await knex<RunRow>('runs')
        .where({ pipeline: own.pipeline })
        .where('sequence', '<', own.sequence)
        .where((query) => query.whereNull('closed_at').orWhere(isLeftUncleaned))
        .orderBy('sequence')
        .first();
      return row ? { runId: row.run_id, workflow: recordOf(row).workflow } : null;
    },

    /** Notes what was read, and gives the run its version of the as-of date. */
    describeExtract: (
      runId: string,
      extract: { asOf: string; watermark: string; rowsRead: number },
    ): Promise<{ version: number }> => describeExtract(knex, runId, extract),

    /** Marks the run as waiting for a person, with what that person has to know; an ended run stays as it is. */
    async hold(runId: string, summary: RunSummary): Promise<void> {
      await knex.transaction(async (transaction) => {
        const run = await lockRun(transaction, runId);
        if (run.isPublished || run.isClosed) return;
        await transaction('runs')
          .where({ run_id: runId })
          .update({
            outcome: 'held',
            verdict: summary.verdict,
            reasons: JSON.stringify(summary.reasons),
            summary: JSON.stringify(summary),
            held_at: transaction.raw('coalesce(held_at, now())'),
          });
      });
    },

    /** A held run that goes on without a decision, since a person has taken it back to a stage; any other stays as it is. */
    async goOn(runId: string): Promise<void> {
      await knex<RunRow>('runs')
        .where({ run_id: runId, outcome: 'held', closed_at: null })
        .update({ outcome: null, reasons: JSON.stringify([]) as never, held_at: null });
    },

    /**
     * Ends the run's record. The first close stands; and a run that was published stays published, whatever
     * went wrong after.
     *
     * @returns the outcome on record
     * @throws RangeError when the outcome is `held`, or `published` without a publication
     */
    close: (runId: string, closing: ClosedRun): Promise<Outcome> => closeRun(knex, runId, closing),

    /**
     * Ends the record of a run whose workflow is gone, so that later runs need not wait for it: as failed, or
     * as published where its publication had been made.
     *
     * @returns whether what it wrote is still to be cleaned up: true until `cleanUp` has gone through, so that
     *   whoever calls this again makes good what failed before. Artifacts go first: the rows gone, it is done
     */
    abandon: (runId: string, reason: string, messages?: MessagesOfEnd): Promise<boolean> =>
      abandonRun(knex, runId, { reason, messages }),

    /** Notes where the closed workflow's history is kept. */
    async keepHistory(runId: string, history: ArtifactRef): Promise<void> {
      const count = await knex('runs')
        .where({ run_id: runId })
        .update({ history: JSON.stringify(history) });
      if (count === 0) throw unknownRun(runId);
    },
  });

export interface ClosedRun {
  outcome: Outcome;
  verdict: Verdict | null;
  summary: RunSummary;
  /** Null when there was no space for it; never so for a published run. */
  manifest: ArtifactRef | null;
  /** What others are told of its end, by the outcome on record. */
  messages?: MessagesOfEnd;
}

export type MessagesOfEnd = (outcome: Exclude<Outcome, 'held'>) => readonly NewMessage[];

async function openRun(knex: Knex, run: NewRun): Promise<void> {
  const definition_sha256 = run.definition.sha256;
  await knex.transaction(async (transaction) => {
    await transaction('pipelines')
      .insert({ name: run.pipeline, definition_sha256 })
      .onConflict('name')
      .ignore();
    // One opening at a time: a sequence number given out but not yet committed would hide an earlier run
    // from `earlierOpen`, and both would go on at once.
    await transaction('pipelines').where({ name: run.pipeline }).forNoKeyUpdate();
    const inserted = await transaction('runs')
      .insert({
        run_id: run.runId,
        kind: run.kind,
        pipeline: run.pipeline,
        seed: run.seed,
        definition: JSON.stringify(run.definition),
        input: JSON.stringify(run.input),
        workflow_id: run.workflow.id,
        workflow_run_id: run.workflow.runId,
      })
      .onConflict('run_id')
      .ignore()
      .returning('run_id');
    if (inserted.length > 0) {
      await transaction('pipelines').where({ name: run.pipeline }).update({ definition_sha256 });
      const { pipeline, runId, messages = [] } = run;
      await addMessages(transaction, { pipeline, runId, messages });
    }
  });
}

async function describeExtract(
  knex: Knex,
  runId: string,
  extract: { asOf: string; watermark: string; rowsRead: number },
): Promise<{ version: number }> {
  return knex.transaction(async (transaction) => {
    const run = await lockOpenRun(transaction, runId);
    const own = (await transaction<RunRow>('runs').where({ run_id: runId }).first())!;
    const version =
      own.as_of === extract.asOf && own.version !== null
        ? own.version
        : await nextVersion(transaction, { ...run, asOf: extract.asOf });
    await transaction('runs')
      .where({ run_id: runId })
      .update({
        as_of: extract.asOf,
        version,
        source_watermark: inUtc(extract.watermark),
        rows_read: extract.rowsRead,
      });
    return { version };
  });
}

async function nextVersion(
  transaction: Knex.Transaction,
  run: { pipeline: string; sequence: number; asOf: string },
): Promise<number> {
  const [row] = await transaction<RunRow>('runs')
    .where({ pipeline: run.pipeline, as_of: run.asOf })
    .where('sequence', '<', run.sequence)
    .where((query) => query.whereNull('outcome').orWhereNotIn('outcome', ['failed', 'cancelled']))
    .max({ version: 'version' });
  return 1 + (row?.version ?? 0);
}

async function closeRun(knex: Knex, runId: string, closing: ClosedRun): Promise<Outcome> {
  if (closing.outcome === 'held')
    throw new RangeError(`run ${runId} is held: it is not closed before it ends`);
  return knex.transaction(async (transaction) => {
    const run = await lockRun(transaction, runId);
    const known = (await transaction<RunRow>('runs').where({ run_id: runId }).first())!.outcome;
    if (run.isClosed) return known!;
    if (closing.outcome === 'published' && !run.isPublished) {
      throw new RangeError(`run ${runId} is closed as published, but was not published`);
    }
    const outcome = run.isPublished ? 'published' : closing.outcome;
    await transaction('runs')
      .where({ run_id: runId })
      .update({
        outcome,
        verdict: closing.verdict,
        reasons: JSON.stringify(closing.summary.reasons),
        summary: JSON.stringify(closing.summary),
        manifest: JSON.stringify(closing.manifest),
        closed_at: transaction.fn.now(),
      });
    const messages = closing.messages?.(outcome as Exclude<Outcome, 'held'>) ?? [];
    await addMessages(transaction, { pipeline: run.pipeline, runId, messages });
    return outcome;
  });
}

async function abandonRun(
  knex: Knex,
  runId: string,
  { reason, messages }: { reason: string; messages: MessagesOfEnd | undefined },
): Promise<boolean> {
  return knex.transaction(async (transaction) => {
    const run = await lockRun(transaction, runId);
    if (run.isClosed) return !run.isPublished && !run.isCleaned;
    await transaction('runs')
      .where({ run_id: runId })
      .update({
        outcome: run.isPublished ? 'published' : 'failed',
        reasons: JSON.stringify([reason]),
        closed_at: transaction.fn.now(),
        // A clean-up begun by the run itself is gone over again: how far it came is not known.
        cleaned_at: null,
      });
    const told = messages?.(run.isPublished ? 'published' : 'failed') ?? [];
    await addMessages(transaction, { pipeline: run.pipeline, runId, messages: told });
    return !run.isPublished;
  });
}

function isLeftUncleaned(query: Knex.QueryBuilder): void {
  query.where({ outcome: 'failed' }).whereNull('cleaned_at');
}

/** Times without a zone are UTC throughout; PostgreSQL would take its session's zone. */
function inUtc(time: string): string {
  return /(?:Z|[+-]\d{2}(?::?\d{2})?)$/i.test(time) || !time.includes(':') ? time : `${time}Z`;
}
