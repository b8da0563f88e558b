import { join } from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import colors from 'picocolors';
import { PROJECT_FOLDER, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { historiesIn, type KeptHistory, replayHistories } from './replay-histories.ts';
import { bundleWorkflows } from './strata-worker.ts';
import { installRuntime } from './temporal-logger.ts';

// Today's workflow code against every history that was kept: what replays here, resumes after a deploy.
const config = readConfig();
const log = createLog({ level: config.logLevel });
// A history that does not replay is told once, by us.
installRuntime(new DefaultLogger('WARN', ({ message }) => log.debug(message)));
const bundle = await bundleWorkflows(join(config.tools.cacheFolder, 'workflows'));

async function* all(): AsyncGenerator<KeptHistory> {
  yield* historiesIn(join(PROJECT_FOLDER, 'tests/histories'), 'fixture');
  yield* historiesIn(join(config.artifacts, 'history'), 'kept');
}

let count = 0;
let broken = 0;
const step = log.step('Replaying histories');
for await (const { name, events, fault } of replayHistories(bundle, all())) {
  count += 1;
  step.update(`${count}`);
  if (fault) broken += 1;
  const sign = fault ? colors.red('✗') : colors.green('✓');
  console.log(`${sign} ${name}  ${events} events${fault ? `  ${fault}` : ''}`);
}
if (broken > 0) {
  step.fail();
  console.error(
    `${broken} of ${count} histories do not replay: guard the change with patched(), or keep the old code (REPLAY_BROKEN)`,
  );
} else step.done();
console.log(`${count} histories, ${count - broken} replay`);
process.exitCode = broken > 0 || count === 0 ? 1 : 0;
