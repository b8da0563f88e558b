import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { wholeNumber } from '../option-values.ts';
import { checkFolder } from '../output-file.ts';

const SHOWN = 20;
const MOST = 1_000;
/** More runs than this do not go on at once; each of them is asked what it is at. */
const MOST_OPEN = 50;
const ASKED_AT_ONCE = 8;
/** Where no terminal says how wide it is. */
const WIDTH = 80;

interface Given {
  pipeline: string | undefined;
  limit: number;
  json: string | undefined;
}

/** `strata runs`: what goes on and what came of the last runs. Starts PostgreSQL at most. */
export function runsCommand(signal: AbortSignal): Command {
  return new Command('runs')
    .description('lists the runs: those that go on with what they are at, then the last ones')
    .option('--pipeline <name>', 'only of this pipeline')
    .option('--limit <number>', 'so many that have ended', limit, SHOWN)
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .addHelpText(
      'after',
      '\nThe first column is the beginning of the id: every command that asks for a run takes it.',
    )
    .allowExcessArguments(false)
    .action(async ({ pipeline, limit, json }: { pipeline?: string; limit: number; json?: string }) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      await checkFolder('--json', file);
      await list(config, { pipeline, limit, json: file }, signal);
    });
}

function limit(text: string): number {
  const number = wholeNumber(text);
  if (number < 1 || number > MOST) throw new InvalidArgumentError(`needs a number from 1 to ${MOST}.`);
  return number;
}

async function list(config: Config, { pipeline, limit, json }: Given, signal: AbortSignal): Promise<void> {
  const { endedRun, runsReport } = await import('./runs-report.ts');
  const { withSight } = await import('./sight.ts');
  const { quietLog } = await import('./quiet-log.ts');
  const { writeJson } = await import('../output-file.ts');
  const { log } = quietLog(config.logLevel);
  await withSight({ config, log, signal }, async (sight) => {
    const { repositories, notes } = sight;
    const asked = { ...(pipeline && { pipeline }), limit };
    const records = (await repositories?.runs.list({ ...asked, isEnded: true })) ?? [];
    const ended = records.map(endedRun);
    const open = await openRuns(sight, pipeline);
    // A name mistyped is the likelier mistake: it is answered with those that there are.
    if (pipeline !== undefined && open.length + ended.length === 0) await checkName(config, pipeline);
    for (const note of notes) log.warn(note);
    console.log(runsReport({ open, ended }, { width: process.stdout.columns || WIDTH, nowMs: Date.now() }));
    await writeJson('--json', json, { open, ended });
  });
}

async function openRuns(sight: import('./sight.ts').Sight, pipeline: string | undefined) {
  const { unregisteredRuns } = await import('./target.ts');
  const { createRunReader } = await import('./reader.ts');
  const { viewOf } = await import('./view.ts');
  const asked = { ...(pipeline && { pipeline }), limit: MOST_OPEN, isEnded: false };
  const records = (await sight.repositories?.runs.list(asked)) ?? [];
  const known = records.map((record) => ({ runId: record.runId, workflow: record.workflow, record }));
  const others = await unregisteredRuns(sight, pipeline, records).catch(() => []);
  const targets = [...others.map(({ target }) => target), ...known].slice(0, MOST_OPEN);
  const views = [];
  for (let i = 0; i < targets.length; i += ASKED_AT_ONCE) {
    const some = targets.slice(i, i + ASKED_AT_ONCE);
    const facts = await Promise.all(some.map((target) => createRunReader(sight, target).read()));
    views.push(...facts.map((each) => viewOf(each, Date.now())));
  }
  return views;
}

async function checkName(config: Config, pipeline: string): Promise<void> {
  const { loadDefinition } = await import('../../store/definitions.ts');
  const { definitionFolders } = await import('../strata-worker.ts');
  await loadDefinition(definitionFolders(config), pipeline);
}
