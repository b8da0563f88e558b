import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';

// Which run a person means who types an id, the beginning of one, a workflow's id or `latest`.

export const LATEST_RUN = 'latest';
const PREFIX = 'run_';
/** Of its 16 digits; the commands that ask for a run take it. */
const SHORT_DIGITS = 8;
/** Fewer are mistyped too easily where something is done to the run. */
const FEWEST_DIGITS = 4;
/** As many as a person takes in at a glance. */
const RUNS_TOLD = 5;
const NOT_BEGUN =
  '; one that no worker has begun has no record yet: npm run worker begins it, the Temporal UI cancels it as it is';

export interface AskedRun {
  /** A run id, the beginning of one, a workflow id, or `latest`. */
  run: string;
  pipeline?: string;
}

type Runs = Pick<Repositories, 'runs'>;

/** A run id as tables show it. */
export function shortId(runId: string): string {
  return /^run_[0-9a-f]{16}$/.test(runId) ? runId.slice(PREFIX.length, PREFIX.length + SHORT_DIGITS) : runId;
}

/**
 * The run that is meant, by its record; null where PostgreSQL knows none.
 *
 * @throws PipelineError INPUT_INVALID for a beginning that several runs have, or a run of another pipeline
 */
export async function lookUpRun({ runs }: Runs, { run, pipeline }: AskedRun): Promise<RunRecord | null> {
  if (run === LATEST_RUN) return (await runs.list({ ...(pipeline && { pipeline }), limit: 1 }))[0] ?? null;
  const matching = run.trim() === '' ? [] : await runs.matching({ text: run.trim() });
  const [found, other] = matching;
  if (!found) return null;
  if (other !== undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `several runs begin with ${run}: ${matching.map(describedRun).join(', ')}; type more of the id`,
    );
  }
  if (pipeline !== undefined && found.pipeline !== pipeline) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${found.runId} is a run of pipeline ${found.pipeline}, --pipeline says ${pipeline}; leave it out`,
    );
  }
  return found;
}

/** As `lookUpRun`. @throws PipelineError RUN_UNKNOWN with the latest runs there are, too */
export async function findRun(repositories: Runs, asked: AskedRun, wayOut = ''): Promise<RunRecord> {
  const found = await lookUpRun(repositories, asked);
  if (found) return found;
  throw await noSuchRun(repositories, asked, wayOut);
}

/** Of a run that something is done to, by its id or its beginning: the latest may be another one by now. */
export async function findNamedRun(repositories: Runs, run: string): Promise<RunRecord> {
  if (run === LATEST_RUN) {
    throw new PipelineError(
      'INPUT_INVALID',
      'this needs the id of a run, since the latest may be another one by now; npm run strata -- runs lists them',
    );
  }
  const found = await findRun(repositories, { run }, NOT_BEGUN);
  requireEnough(run.trim(), found);
  return found;
}

function requireEnough(typed: string, { runId, workflow }: RunRecord): void {
  const digits = typed.startsWith(PREFIX) ? typed.slice(PREFIX.length) : typed;
  if (digits.length >= FEWEST_DIGITS || [runId, workflow.id, workflow.runId].includes(typed)) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `this needs the id of a run, or at least ${FEWEST_DIGITS} digits of its beginning, found ${typed}; the one that begins so is ${runId}`,
  );
}

export async function noSuchRun(
  repositories: Runs,
  { run, pipeline }: AskedRun,
  wayOut = '',
): Promise<PipelineError> {
  const [what, details] =
    run === LATEST_RUN
      ? [pipeline === undefined ? 'there is no run yet' : `pipeline ${pipeline} has no run yet`, {}]
      : [`there is no run ${run}`, { runId: run }];
  return new PipelineError('RUN_UNKNOWN', `${what}; ${await toldRuns(repositories)}${wayOut}`, details);
}

async function toldRuns({ runs }: Runs): Promise<string> {
  const latest = await runs.list({ limit: RUNS_TOLD });
  if (latest.length === 0) return 'none was started here: npm start starts one';
  return `the latest are ${latest.map(describedRun).join(', ')}`;
}

export function describedRun({
  runId,
  pipeline,
  asOf,
  outcome,
}: Pick<RunRecord, 'runId' | 'pipeline' | 'asOf' | 'outcome'>): string {
  return `${runId} (${pipeline}${asOf ? ` as of ${asOf}` : ''}, ${outcome ?? 'running'})`;
}
