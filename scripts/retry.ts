import { Command } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { ASSIGN_STAGES, type Run, STAGES, type Stage } from '../pipelines/contracts/run.ts';
import { checkReason } from '../pipelines/contracts/segment-name.ts';
import { HANDLERS, type RunProgress } from '../pipelines/contracts/signatures.ts';
import { type Config, readConfig } from './config.ts';
import type { Events } from './reset-run.ts';
import type { RunInHand } from './run-in-hand.ts';

interface Given {
  run: string;
  from: string;
  because?: string;
}

/** Readers may see the run from the first of these on: there is no way back to before it. */
const PUBLISHING: readonly Stage[] = ['publish', 'notify'];

/** `strata retry`: a run goes back to before a stage and on from there, in place of starting all over. */
export function retryCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('retry')
    .description('takes a run back to before a stage, lets it go on from there, and follows it to its end')
    .argument('<run>', 'id of the run, or its beginning')
    .requiredOption('--from <stage>', 'first stage that is done again')
    .option('--because <text>', 'why; kept in the history of what the run was until now')
    .addHelpText(
      'after',
      '\nA run that has ended unpublished was cleaned up: it begins anew, --from extract, and is another run.' +
        '\nEnds with 0 when it is published or held, 2 when it is rejected.',
    )
    .allowExcessArguments(false)
    .action(async (run: string, given: Omit<Given, 'run'>) => {
      setExitCode(await retry(readConfig(), { run, ...given }, signal));
    });
}

async function retry(config: Config, given: Given, signal: AbortSignal): Promise<number> {
  const { run: asked, from, because } = given;
  const why = because === undefined ? '' : `: ${checkReason(because)}`;
  const { withRun } = await import('./run-in-hand.ts');
  return withRun({ config, asked, signal }, async (run) => {
    const stands = run.isOpen && (await standsPaused(run));
    const next = await takeBack(run, from, why);
    await run.needWorker(next);
    if (stands) await resume(run, next);
    return follow(config, run, next);
  });
}

/**
 * The execution in which it goes on, or in which its input begins anew.
 *
 * @throws PipelineError INPUT_INVALID
 */
export async function takeBack(run: RunInHand, from: string, why: string): Promise<Run['workflow']> {
  const { client, execution, isOpen, repositories } = run;
  const { runId } = run.record;
  const stage = stageOf(run, from);
  if (await repositories.publications.ofRun(runId)) throw refusal(run, 'that is not published, it is');
  const history = await run.handleOf(execution).fetchHistory();
  const to = await pointOf(run, stage, history.events ?? []);
  const { resetRun } = await import('./reset-run.ts');
  const next = await resetRun(client, { execution, to, reason: `strata retry from ${stage}${why}` });
  if (isOpen) await repositories.runs.goOn(runId);
  await tell(run, stage, next);
  return next;
}

function stageOf({ record: { runId, kind } }: RunInHand, from: string): Stage {
  const stages: readonly Stage[] = kind === 'assign' ? ASSIGN_STAGES : STAGES;
  const stage = stages.find((one) => one === from);
  const before = stages.filter((one) => !PUBLISHING.includes(one)).join(', ');
  if (stage === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `retrying ${runId} needs one of its stages, ${before}; found "${from}"`,
    );
  if (PUBLISHING.includes(stage))
    throw new PipelineError(
      'INPUT_INVALID',
      `retrying ${runId} needs a stage before it is published, ${before}; found ${stage}: the pointer moves in one step, which Temporal tries again by itself`,
    );
  return stage;
}

/** @throws PipelineError INPUT_INVALID for a stage that was not reached, or one of which nothing is left */
async function pointOf(run: RunInHand, stage: Stage, events: Events) {
  const { eventBefore, eventBeforeAll, reachedStages } = await import('./reset-run.ts');
  const { isOpen, record } = run;
  if (isOpen) {
    if (reachedStages(events, PUBLISHING).length > 0)
      throw refusal(run, 'that is not being published, it is: it ends in a moment');
    const to = eventBefore(events, stage);
    if (to) return to;
    const reached = reachedStages(events, record.kind === 'assign' ? ASSIGN_STAGES : STAGES);
    throw refusal(run, `that has reached ${stage}, it has come to ${reached.join(', ') || 'no stage yet'}`);
  }
  if (stage !== 'extract')
    throw refusal(
      run,
      `of which something is left, it ended as ${record.outcome ?? 'failed'} and was cleaned up: it can begin anew (--from extract)`,
    );
  await requireLast(run);
  const to = eventBeforeAll(events);
  if (to) return to;
  throw refusal(run, 'that was begun, no worker ever did: start it again');
}

/** A reset ends whatever goes on under the workflow's id, and no execution of a run that has ended goes on for it. */
async function requireLast(run: RunInHand): Promise<void> {
  const { client, execution } = run;
  const { hasClosed } = await import('./follow-run.ts');
  const last = await client.workflow.getHandle(execution.id).describe();
  if (hasClosed(last)) return;
  throw refusal(run, `whose workflow ${execution.id} is free, a later run goes on there (${last.runId})`);
}

function refusal({ record: { runId } }: RunInHand, words: string): PipelineError {
  return new PipelineError('INPUT_INVALID', `retrying ${runId} needs a run ${words}`, { runId });
}

async function tell(run: RunInHand, stage: Stage, next: Run['workflow']): Promise<void> {
  const { record, execution, isOpen } = run;
  const { runIdOf } = await import('../activities/run.ts');
  const what = isOpen
    ? `${record.runId} goes on from ${stage}`
    : `the input of ${record.runId} begins anew, as another run, ${runIdOf(next)}`;
  const before = isOpen
    ? 'was ended by it, and its history stays in Temporal until its retention is over'
    : 'stays as it ended, with its history';
  console.log(`${what}: ${run.addressOf(next)}`);
  console.log(`the execution before (${execution.runId}) ${before}`);
}

/** Whether a pause keeps it; as the server lists it, since no worker need be there to answer. */
async function standsPaused({ handleOf, execution }: RunInHand): Promise<boolean> {
  const { searchAttributes } = await handleOf(execution).describe();
  return searchAttributes.StrataOutcome?.[0] === 'paused';
}

/** The end of the pause that it stood in came after the point that it goes back to; whoever retries wants it to go on. */
async function resume(run: RunInHand, next: Run['workflow']): Promise<void> {
  const handle = run.handleOf(next);
  const { paused } = await handle.query<RunProgress>(HANDLERS.progress);
  const { ask } = await import('./run-in-hand.ts');
  if (paused) await ask(handle, HANDLERS.resume, { because: 'it is retried' }, run.signal);
}

async function follow(config: Config, run: RunInHand, next: Run['workflow']): Promise<number> {
  const { followToEnd } = await import('./main-job.ts');
  const { EXIT_CODES, runReport, whereToLook } = await import('./run-report.ts');
  const job = await followToEnd({ ...run, addressAfter: run.addressOf }, next, run.signal);
  const { summary, address } = job;
  console.log(
    summary
      ? `\n${runReport(summary, await whereToLook(summary, { config, address }))}`
      : `\n${job.message ?? 'the run ended without a summary'}`,
  );
  return EXIT_CODES[job.outcome];
}
