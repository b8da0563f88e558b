import { loadDefinition } from '../../store/definitions.ts';
import type { Config } from '../config.ts';
import { definitionFolders } from '../definition-folders.ts';
import { quietLog } from './quiet-log.ts';
import { createRunReader, type Target } from './reader.ts';
import { type EndedRun, endedRun, runsReport } from './runs-report.ts';
import { type Sight, withSight } from './sight.ts';
import { unregisteredRuns } from './target.ts';
import { type RunView, viewOf } from './view.ts';

/** More runs than this do not go on at once; each of them is asked what it is at. */
const MOST_OPEN = 50;
const ASKED_AT_ONCE = 8;
/** Where no terminal says how wide it is. */
const WIDTH = 80;

export interface ListedRuns {
  open: RunView[];
  /** Newest first. */
  ended: EndedRun[];
}

/** Prints the runs that go on and the last ones that have ended. @throws PipelineError PIPELINE_UNKNOWN */
export async function listRuns(
  config: Config,
  { pipeline, limit }: { pipeline?: string; limit: number },
  signal: AbortSignal,
): Promise<ListedRuns> {
  const { log } = quietLog(config.logLevel);
  return withSight({ config, log, signal }, async (sight) => {
    const asked = { ...(pipeline && { pipeline }), limit, isEnded: true };
    const records = (await sight.repositories?.runs.list(asked)) ?? [];
    const listed = { open: await openRuns(sight, pipeline), ended: records.map(endedRun) };
    // A name mistyped is the likelier mistake: it is answered with those that there are.
    if (pipeline !== undefined && listed.open.length + listed.ended.length === 0)
      await loadDefinition(definitionFolders(config), pipeline);
    for (const note of sight.notes) log.warn(note);
    console.log(runsReport(listed, { width: process.stdout.columns || WIDTH, nowMs: Date.now() }));
    return listed;
  });
}

async function openRuns(sight: Sight, pipeline: string | undefined): Promise<RunView[]> {
  const asked = { ...(pipeline && { pipeline }), limit: MOST_OPEN, isEnded: false };
  const records = (await sight.repositories?.runs.list(asked)) ?? [];
  const known = records.map((record) => ({ runId: record.runId, workflow: record.workflow, record }));
  const views = await viewsOf(sight, known);
  // One that was reset goes on in another execution than its record says.
  const executions = new Set([...records, ...views].map(({ workflow }) => workflow.runId));
  const others = await unregisteredRuns(sight, pipeline, executions).catch(() => []);
  return [
    ...(await viewsOf(
      sight,
      others.slice(0, MOST_OPEN).map(({ target }) => target),
    )),
    ...views,
  ];
}

async function viewsOf(sight: Sight, targets: readonly Target[]): Promise<RunView[]> {
  const views: RunView[] = [];
  for (let i = 0; i < targets.length; i += ASKED_AT_ONCE) {
    const some = targets.slice(i, i + ASKED_AT_ONCE);
    const facts = await Promise.all(some.map((target) => createRunReader(sight, target).read()));
    views.push(...facts.map((each) => viewOf(each, Date.now())));
  }
  return views;
}
