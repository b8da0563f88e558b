import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { openArtifacts } from './open-artifacts.ts';
import { checkFolder, writeJson } from './output-file.ts';
import type { KeptHistory, Replayed } from './replay-histories.ts';

interface Given {
  runs: string[];
  running?: boolean;
  kept?: boolean;
  fixtures?: boolean;
  json?: string;
}

/** Running workflows that are fetched and replayed at a time: each history is in memory as long as its turn takes. */
const LANES = 3;

/** `strata replay`: today's workflow code against histories. Before a deploy: does everything that runs go on? */
export function replayCommand(
  signal: AbortSignal,
  setExitCode: (code: number) => void,
  name = 'replay',
): Command {
  return new Command(name)
    .description("replays histories with today's workflow code: what replays here, resumes after a deploy")
    .argument('[run...]', 'run ids, the beginnings of such, or workflow ids (default: --fixtures --kept)')
    .option('--running', 'every workflow that is open on the server')
    .option('--kept', 'every history that is kept among the artifacts')
    .option('--fixtures', 'the committed histories')
    .option('--json <file>', 'write what came of each to this file, as JSON')
    .addHelpText(
      'after',
      '\nEnds with 0 when all replay, 1 when one does not. Before a deploy, with the code that is to be deployed:\n' +
        '  npm run strata -- replay --running',
    )
    .action(async (runs: string[], given: Omit<Given, 'runs'>) => {
      setExitCode(await replay(readConfig(), { runs, ...given }, signal));
    });
}

async function replay(config: Config, given: Given, signal: AbortSignal): Promise<number> {
  const json = given.json && resolve(config.invokedFrom, given.json);
  await checkFolder('--json', json);
  const isPlain = !given.running && !given.kept && !given.fixtures && given.runs.length === 0;
  const asked = isPlain ? { ...given, kept: true, fixtures: true } : given;
  const replayed = await replayAsked(config, asked, signal);
  const { replayReport, replayFigures } = await import('./replay-report.ts');
  await writeJson('--json', json, replayFigures(replayed));
  const report = replayReport(replayed, { isRunningAsked: given.running ?? false });
  (report.isSound ? console.log : console.error)(report.text);
  return report.isSound ? 0 : 1;
}

/** Of the running ones only what does not replay is a line of its own. */
export interface ReplayedOne extends Replayed {
  source: 'fixture' | 'kept' | 'run' | 'running';
}

async function replayAsked(config: Config, asked: Given, signal: AbortSignal): Promise<ReplayedOne[]> {
  // Half of the start is Temporal: no one who asks for --help or mistypes an option waits for it.
  const { DefaultLogger } = await import('@temporalio/worker');
  const { replayHistories } = await import('./replay-histories.ts');
  const { replayLine } = await import('./replay-report.ts');
  const { committedHistories, countRunning, keptHistories, runningHistories } = await import(
    './replay-sources.ts'
  );
  const { bundleWorkflows } = await import('./workflow-bundle.ts');
  const { installRuntime } = await import('./temporal-logger.ts');
  const log = createLog({ level: config.logLevel });
  // A history that does not replay is told once, by us.
  installRuntime(new DefaultLogger('WARN', ({ message }) => log.debug(message)));
  const bundle = await bundleWorkflows(join(config.tools.cacheFolder, 'workflows'));
  const artifacts = await openArtifacts(config);
  const all: ReplayedOne[] = [];
  const go = async (
    source: ReplayedOne['source'],
    histories: AsyncIterable<KeptHistory>,
    { of, lanes = 1 }: { of?: number; lanes?: number } = {},
  ) => {
    const step = log.step(STEPS[source]);
    let count = 0;
    for await (const replayed of replayHistories(bundle, histories, { lanes })) {
      signal.throwIfAborted();
      count += 1;
      step.update(of === undefined ? `${count}` : `${count} of ${of}`);
      const one = { ...replayed, source };
      all.push(one);
      if (source !== 'running' || one.fault !== null) console.log(replayLine(one));
    }
    if (all.some((one) => one.source === source && one.fault !== null)) step.fail();
    else step.done();
  };
  if (asked.fixtures) await go('fixture', committedHistories());
  if (asked.kept) await go('kept', keptHistories(artifacts));
  if (asked.runs.length > 0) await go('run', await meantHistories({ config, artifacts, signal }, asked.runs));
  if (asked.running) {
    const { withTemporal } = await import('./with-temporal.ts');
    await withTemporal(config, signal, async ({ client }) => {
      const of = await countRunning(client);
      await go('running', runningHistories(client), { of, lanes: LANES });
    });
  }
  return all;
}

const STEPS = {
  fixture: 'Replaying committed histories',
  kept: 'Replaying kept histories',
  run: 'Replaying the runs',
  running: 'Replaying what is running',
};

/** Those that a person names: as they are kept, else as the server has them, which is asked only then. */
async function meantHistories(
  {
    config,
    artifacts,
    signal,
  }: {
    config: Config;
    artifacts: Parameters<typeof import('./replay-sources.ts').keptHistories>[0];
    signal: AbortSignal;
  },
  runs: readonly string[],
): Promise<AsyncIterable<KeptHistory>> {
  const { findKept, findOnServer, keptHistories } = await import('./replay-sources.ts');
  const { PipelineError } = await import('../pipelines/contracts/errors.ts');
  const found = await findKept(keptHistories(artifacts), runs);
  const missing = found.filter(({ histories }) => histories.length === 0);
  if (missing.length > 0) {
    const { withTemporal } = await import('./with-temporal.ts');
    await withTemporal(config, signal, async ({ client }) => {
      for (const one of missing) {
        for (const history of await findOnServer(client, one.asked)) {
          // Read while the server is there.
          const read = await history.read();
          one.histories.push({ ...history, read: async () => read });
        }
        if (one.histories.length > 0) continue;
        throw new PipelineError(
          'RUN_UNKNOWN',
          `there is no history of ${one.asked}, neither among the artifacts nor in Temporal; name a run id or a workflow id`,
          { runId: one.asked },
        );
      }
    });
  }
  return listed(found.flatMap(({ histories }) => histories));
}

async function* listed(histories: readonly KeptHistory[]): AsyncGenerator<KeptHistory> {
  yield* histories;
}
