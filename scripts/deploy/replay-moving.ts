import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import type { ReplayedOne } from '../replay-command.ts';
import { replayHistories } from '../replay-histories.ts';
import { replayLine, replayReport } from '../replay-report.ts';
import { runningHistories } from '../replay-sources.ts';
import { installRuntime } from '../temporal-logger.ts';
import { bundleWorkflows } from '../workflow-bundle.ts';

/** What a promoted version goes on with; the rest is pinned, and ends elsewhere. */
export const MOVES = `(TemporalWorkerDeployment IS NULL OR TemporalWorkflowVersioningBehavior = 'AutoUpgrade')`;

/** Replays it with the code here, and says what does not. @returns whether all does */
export async function replayMoving(config: Config, client: Client): Promise<boolean> {
  const log = createLog({ level: config.logLevel });
  installRuntime(new DefaultLogger('WARN', ({ message }) => log.debug(message)));
  const bundle = await bundleWorkflows(join(config.tools.cacheFolder, 'workflows'));
  const step = log.step('Replaying what would go on with it');
  const all: ReplayedOne[] = [];
  for await (const replayed of replayHistories(bundle, runningHistories(client, MOVES))) {
    const one: ReplayedOne = { ...replayed, source: 'running' };
    all.push(one);
    step.update(`${all.length}`);
    if (one.fault !== null) console.error(replayLine(one));
  }
  if (all.length === 0) {
    step.done('nothing would');
    return true;
  }
  const { isSound, text } = replayReport(all, { isRunningAsked: true });
  if (isSound) step.done(`${all.length}`);
  else step.fail();
  (isSound ? console.log : console.error)(text);
  if (!isSound) console.error('nothing was promoted');
  return isSound;
}
