import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { type ErrorCode, PipelineError } from '../pipelines/contracts/errors.ts';
import { parseStartInput } from '../pipelines/contracts/input.ts';
import type { Run, RunKind, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { dateIn } from '../pipelines/contracts/shop-date.ts';
import type { Closing, OpenedRun, Stages, Turn } from '../pipelines/contracts/stages.ts';
import { buildManifest } from '../pipelines/stages/manifest.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';
import type { MessagesOfEnd } from '../store/postgres/runs.ts';
import { tellHeld } from './alerts.ts';
import { keptOf, releaseParts } from './closed-run.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { reasonOfCancel, stateOf } from './executions.ts';
import { lineageOfEnd, lineageOfOpening } from './lineage.ts';
import { handOver } from './notify.ts';
import { baseOf, refusalOfRun } from './publication-base.ts';
import { gatherReleases } from './releases.ts';
import { withHeartbeats } from './stage.ts';

const TURN_POLL_MS = 1_000;

type RunStages = Pick<Stages, 'openRun' | 'takeTurn' | 'awaitTurn' | 'holdRun' | 'closeRun'>;

/** Opening, queueing, holding and closing a run: what frames the stages. */
export function createRunActivities(context: ActivityContext): RunStages {
  return {
    openRun: (input) => openRun(context, input),
    takeTurn: async ({ run }) => mayGoOn(context, run, await turnOf(context, run)),
    async awaitTurn({ run }) {
      return withHeartbeats('turn', async ({ signal }) => {
        let turn = await turnOf(context, run);
        while (!turn.granted) {
          await sleep(TURN_POLL_MS, undefined, { signal });
          turn = await turnOf(context, run);
        }
        return mayGoOn(context, run, turn);
      });
    },
    holdRun: ({ run, closing }) => holdRun(context, run, closing),
    // Its clean-up may take longer than an activity may stay silent.
    closeRun: (input) => withHeartbeats('close', () => closeRun(context, input)),
  };
}

/** The run's id is made of its workflow's, so that a second attempt opens the same run. */
export function runIdOf(workflow: Run['workflow']): string {
  const digest = createHash('sha256').update(`${workflow.id}\0${workflow.runId}`).digest('hex');
  return `run_${digest.slice(0, 16)}`;
}

async function openRun(
  context: ActivityContext,
  opening: { input: StartInput; workflow: Run['workflow']; scheduledAt: string | null; kind?: RunKind },
): Promise<OpenedRun> {
  const { artifacts, repositories, definitionFolders, log } = context;
  const { scheduledAt, kind = 'refit' } = opening;
  const input = parseStartInput(opening.input, kind);
  const pipeline = input.pipeline ?? DEFAULT_PIPELINE;
  const { definition, scale, folder, hides } = await loadDefinition(definitionFolders, pipeline);
  if (hides !== null) log.info(`pipeline ${pipeline}: as ${folder} defines it, not as ${hides} does`);
  const runId = runIdOf(opening.workflow);
  const frozen = await artifacts.write('definition', encodeJson(definition), {
    runId,
    ending: 'json',
    rows: 1,
  });
  const run: Run = {
    runId,
    kind,
    pipeline,
    // The day that a schedule means is one of its own clock; without one, of the shop's.
    asOf: input.asOf ?? (scheduledAt && dateIn(scheduledAt, input.timezone ?? definition.source.timezone)),
    seed: input.seed ?? definition.seed,
    definition: frozen,
    extract: input.extract ?? null,
    review: input.review ?? definition.review.policy,
    k: input.k ?? null,
    releases: await gatherReleases(context, { runId, pipeline }),
    beforePublished: input.beforePublished ?? definition.review.beforePublished,
    workflow: opening.workflow,
  };
  await repositories.runs.open({ ...run, input, messages: lineageOfOpening(context, run, definition) });
  if (context.lineage) await handOver(context, pipeline);
  const { timeoutHours, onTimeout } = definition.review;
  const k = input.k === undefined ? definition.clustering.k : { min: input.k, max: input.k };
  return { run, review: { timeoutHours, onTimeout }, k, ...(scale.parts > 1 && { scale }) };
}

/** Asked when it is the run's turn: what is published before that may still change. */
async function mayGoOn(context: ActivityContext, run: Run, turn: Turn): Promise<Turn> {
  const refused = turn.granted ? await refusalOfRun(context, run) : undefined;
  return refused === undefined ? turn : { ...turn, refused };
}

/** An earlier run whose workflow is gone (terminated, or lost with its server) does not hold the line. */
async function turnOf(context: ActivityContext, run: Run): Promise<Turn> {
  const { repositories } = context;
  const earlier = await repositories.runs.earlierOpen(run.runId);
  if (!earlier) return { granted: true, waitsFor: null };
  const { status } = await stateOf(context, earlier.workflow);
  if (status === 'open') {
    return { granted: false, waitsFor: { runId: earlier.runId, workflowId: earlier.workflow.id } };
  }
  await abandonRun(context, earlier.runId);
  return turnOf(context, run);
}

/** Closes a run that can no longer close itself, as failed. A run that was closed or published stays as it is. */
export async function abandonRun(context: ActivityContext, runId: string): Promise<void> {
  const { artifacts, repositories } = context;
  const reason = 'its workflow ended without closing it (RUN_ABANDONED)';
  const record = await repositories.runs.get(runId);
  const isAbandoned = await repositories.runs.abandon(
    runId,
    reason,
    await tellAbandoned(context, record, reason),
  );
  const outcome = (await repositories.publications.ofRun(runId)) ? 'published' : 'failed';
  await repositories.alerts.settleHeld(runId, outcome);
  // Its workflow may have been terminated between the publication and the delivery.
  await handOver(context, record.pipeline);
  // One that closed itself has let go of its parts, and has a manifest.
  if (outcome === 'published' && record.manifest === null) await releaseParts(context, runId);
  if (!isAbandoned) return;
  // The clean-up is what the record knows of: it comes last, so that a repeat does both until both are done.
  await artifacts.release(runId, keptOf('failed'));
  await repositories.cleanUp(runId);
}

/** Of one that was closed nothing more is told: its definition is not asked for, which may be gone. */
async function tellAbandoned(
  context: ActivityContext,
  record: RunRecord,
  reason: string,
): Promise<MessagesOfEnd> {
  if (record.closedAt !== null) return () => [];
  const tellEnd = await lineageOfEnd(context, { ...record, extract: record.input.extract ?? null });
  return tellEnd({ verdict: record.verdict, reasons: [reason], found: record.summary });
}

/** The person that it waits for has to learn of it: no later step of the run could tell. */
async function holdRun(context: ActivityContext, run: Run, closing: Closing): Promise<void> {
  const { artifacts, repositories } = context;
  await repositories.runs.hold(run.runId, { ...closing, manifest: null });
  const definition = await frozenDefinition(artifacts, run);
  const base = await baseOf(context, run);
  const { verdict, reasons } = closing;
  await tellHeld(context, { run, definition, verdict, reasons, baseRunId: base?.runId ?? null });
  // Not delivered here: a receiver that is out must not fail a run whose work is done.
  await handOver(context, run.pipeline);
}

async function closeRun(
  context: ActivityContext,
  { run, closing: told, hadParts = false }: Parameters<RunStages['closeRun']>[0],
): Promise<RunSummary> {
  const { artifacts, repositories } = context;
  const closing = told.outcome === 'cancelled' ? await withReason(told) : told;
  const publication = await repositories.publications.ofRun(run.runId);
  if (closing.outcome === 'published' && !publication) {
    throw new PipelineError(
      'RUN_UNKNOWN',
      `closing ${run.runId} as published needs its publication, found none`,
    );
  }
  // The pointer had moved before the cancel or the fault: readers see the run, so it is published.
  const outcome = publication ? 'published' : closing.outcome;
  // First what readers depend on and what frees space: the disk may be what broke the run.
  if (outcome !== 'published') await repositories.cleanUp(run.runId);
  const tellEnd = await lineageOfEnd(context, run);
  if (outcome !== 'published') await artifacts.release(run.runId, keptOf(outcome));
  // Not every run that left a message came so far as to deliver it. Before the manifest: a full disk keeps none back.
  await handOver(context, run.pipeline);
  const ending = { ...closing, outcome };
  const manifest = await writeManifest(context, run, ending);
  const summary: RunSummary = {
    ...ending,
    ...(publication && { segments: await asReadersSee(context, ending) }),
    manifest: manifest && { uri: manifest.uri, sha256: manifest.sha256 },
  };
  const { verdict } = summary;
  const closed = { outcome, verdict, summary, manifest, messages: tellEnd({ ...summary, found: summary }) };
  const recorded = await repositories.runs.close(run.runId, closed);
  if (context.lineage) await handOver(context, run.pipeline);
  // Published, too: one that is kept aside changes no other alert.
  await repositories.alerts.settleHeld(run.runId, recorded);
  // Last, and once more: an attempt that ends later finds the run closed, and takes away what it left.
  if (outcome !== 'published') await artifacts.release(run.runId, keptOf(outcome));
  else if (hadParts) await releaseParts(context, run.runId);
  return { ...summary, outcome: recorded };
}

/** Whoever cancelled may have said why: to Temporal, which keeps it and does not tell the workflow. */
async function withReason(closing: Closing): Promise<Closing> {
  const reason = await reasonOfCancel(Context.current().info.workflowExecution);
  return reason ? { ...closing, reasons: [`cancelled: ${reason}`] } : closing;
}

/** A person may have renamed since the run named its segments; the manifest keeps what it had named them. */
async function asReadersSee(
  { repositories }: ActivityContext,
  { runId, pipeline, segments }: Pick<Closing, 'runId' | 'pipeline' | 'segments'>,
): Promise<RunSummary['segments']> {
  // Beside an older run that was kept aside they see another one.
  const seen = (await repositories.names.list({ pipeline })).filter((found) => found.runId === runId);
  const named = new Map(seen.map((found) => [found.segmentId, found]));
  return segments.map((segment) => {
    const found = named.get(segment.segmentId);
    return found ? { ...segment, name: found.name, nameStatus: found.status } : segment;
  });
}

const NO_SPACE = new Set<string>(['ARTIFACT_DISK_FULL', 'ARTIFACT_UNWRITABLE'] satisfies ErrorCode[]);

/** A published run has a manifest; one that failed for want of space is closed without. */
async function writeManifest(
  { artifacts, codeVersion }: ActivityContext,
  run: Run,
  closing: Closing,
): Promise<ArtifactRef | null> {
  const bytes = encodeJson(buildManifest({ run, closing, codeVersion }));
  try {
    return await artifacts.write('manifest', bytes, { runId: run.runId, ending: 'json', rows: 1 });
  } catch (error) {
    const isBearable = error instanceof PipelineError && NO_SPACE.has(error.code);
    if (isBearable && closing.outcome !== 'published') return null;
    throw error;
  }
}
