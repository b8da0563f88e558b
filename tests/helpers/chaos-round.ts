import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { historiesIn, replayHistories } from '../../scripts/replay-histories.ts';
import type { Fault } from './chaos-faults.ts';
import { type ChaosHome, type ChaosHomeOptions, openChaosHome } from './chaos-home.ts';
import { type Disturbed, disturbedRun, keptHistory, type Undisturbed, undisturbedRun } from './chaos-run.ts';
import { bundleWorkflows } from './temporal.ts';

/** Runs over past dates, one after another in one home, each compared with the one before it. */
export interface Round {
  runs: Disturbed[];
  /** What must not be after all of them: histories that do not replay, processes and files that stayed. */
  wrong: string[];
  /** Workers that ended though nobody had killed them. */
  ownEnds: number;
}

export async function undisturbedRound(options: {
  dates: readonly string[];
  onRun?(run: Undisturbed): void;
  home?: ChaosHomeOptions;
}): Promise<Undisturbed[]> {
  const { dates, onRun = () => {} } = options;
  const home = await openChaosHome(options.home);
  try {
    const runs: Undisturbed[] = [];
    for (const asOf of dates) {
      const run = await undisturbedRun(home, asOf);
      runs.push(run);
      onRun(run);
    }
    return runs;
  } finally {
    await home.close();
  }
}

/**
 * The same runs in a home of their own, while faults happen.
 *
 * @param options.usual of a home that does them in parts where this one does, since that is seen in what they leave;
 *   the home is made while they are waited for
 * @param options.faultsOf null: no further run
 */
export async function disturbedRound(options: {
  usual: readonly Undisturbed[] | Promise<readonly Undisturbed[]>;
  home?: ChaosHomeOptions;
  faultsOf(run: Undisturbed, home: ChaosHome): readonly Fault[] | null;
  onRun?(run: Disturbed): void;
}): Promise<Round> {
  const { faultsOf, onRun = () => {} } = options;
  const home = await openChaosHome(options.home);
  const runs: Disturbed[] = [];
  const wrong: string[] = [];
  try {
    for (const one of await options.usual) {
      const faults = faultsOf(one, home);
      if (faults === null) break;
      const run = await disturbedRun(home, { asOf: one.asOf, faults }, one);
      runs.push(run);
      onRun(run);
      // Later runs are compared with this one: what is wrong with it is wrong with them.
      if (run.wrong.length > 0) break;
    }
    await home.settled();
    for (const { runId } of runs) if (runId) await keptHistory(home, runId);
    wrong.push(...(await unreplayable(home, runs.length)), ...(await leftBehind(home)));
  } finally {
    const processes = await home.close();
    wrong.push(...processes.map((command) => `a process needs to be gone: ${command}`));
  }
  return { runs, wrong, ownEnds: home.ownEnds() };
}

async function unreplayable({ artifacts }: ChaosHome, runs: number): Promise<string[]> {
  const wrong: string[] = [];
  let replayed = 0;
  const kept = historiesIn(join(artifacts, 'history'), 'kept');
  for await (const { name, workflow, fault } of replayHistories(await bundleWorkflows(), kept)) {
    replayed += 1;
    if (fault !== null) wrong.push(`${workflow?.id ?? name} needs to replay: ${fault}`);
  }
  if (replayed < runs) wrong.push(`${runs} histories need to be kept, found ${replayed}`);
  return wrong;
}

/** What the worker that made it keeps of a bucket's files, in its own scratch folder and as long as it lives. */
const COPIES = 'copies';

/** Files being written and scratch folders of workers that are gone; each that is there has one, and it is empty. */
async function leftBehind({ strata, artifacts, workers }: ChaosHome): Promise<string[]> {
  const namesIn = (folder: string) => readdir(folder).catch(() => []);
  const incoming = await namesIn(join(artifacts, '.incoming'));
  const scratch = join(strata.home, 'scratch');
  const folders = await namesIn(scratch);
  const left = (await Promise.all(folders.map((name) => namesIn(join(scratch, name))))).flat();
  return [
    ...incoming.map((name) => `a file being written needs to be gone: .incoming/${name}`),
    ...(folders.length > workers
      ? [`${workers} scratch folders need to be left, found ${folders.length}`]
      : []),
    ...left.filter((name) => name !== COPIES).map((name) => `scratch needs to be empty, found ${name}`),
  ];
}
