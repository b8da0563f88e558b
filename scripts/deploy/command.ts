import { resolve } from 'node:path';
import { Command } from 'commander';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { type Config, DEPLOYMENT_NAME, readConfig } from '../config.ts';
import { wholeNumber } from '../option-values.ts';
import { checkFolder, writeJson } from '../output-file.ts';
import { personOf } from '../person.ts';
import type { Deployment, Version } from './rules.ts';
import type { Looked } from './server.ts';

interface Given {
  deployment?: string;
  json?: string;
  replay?: boolean;
  author?: string;
  wait?: number;
}

type SetExitCode = (code: number) => void;

/** Work stands still. */
const STANDS_STILL = 2;

/** `strata deploy`: which version of the workers takes new runs. Needs the Temporal server alone. */
export function deployCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('deploy')
    .description('shows the versions of the workers, and says which one takes new runs')
    .addCommand(statusCommand(signal, setExitCode))
    .addCommand(promoteCommand(signal, setExitCode))
    .addCommand(rollbackCommand(signal));
}

const DEPLOYMENT = ['--deployment <name>', 'which deployment (default: STRATA_DEPLOYMENT)'] as const;
const JSON_FILE = ['--json <file>', 'write how the versions stand to this file, as JSON'] as const;
const WAIT = [
  '--wait <seconds>',
  'give workers that were just started so long to ask for work',
  wholeNumber,
  0,
] as const;
const AUTHOR = [
  '--author <name>',
  'who does it; kept by Temporal (default: the user of the system)',
] as const;

function statusCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('status')
    .description('shows each version: whether it is current, the runs that end on it, its workers')
    .option(...DEPLOYMENT)
    .option(...JSON_FILE)
    .addHelpText(
      'after',
      '\nA worker counts that has asked for work in the last 90 seconds.\n' +
        'Ends with 0, with 2 when work stands still because no worker asks for it, with 1 when that cannot be said.',
    )
    .allowExcessArguments(false)
    .action(async (given: Given) => {
      await withDeployment(signal, given, async ({ config, found }) => {
        const { standstills } = await import('./rules.ts');
        const { statusReport } = await import('./report.ts');
        const { readBuildId } = await import('./build-id.ts');
        console.log(statusReport(found, { here: await readBuildId(config), nowMs: Date.now() }));
        if (standstills(found).length > 0) setExitCode(STANDS_STILL);
        return found;
      });
    });
}

function promoteCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('promote')
    .description('lets a version take what starts from now on; runs that go on end on theirs')
    .argument('[build]', 'version, as status shows it (default: that of the code here)')
    .option(...DEPLOYMENT)
    .option(
      '--replay',
      'first replay, with the code here, what would go on with this version; refuse if it does not',
    )
    .option(...WAIT)
    .option(...AUTHOR)
    .option(...JSON_FILE)
    .addHelpText(
      'after',
      '\nRefused while no worker of that version asks for work. Inbox, deliveries, the watch of schedules and\n' +
        'the keeping of histories go on with the new version: --replay, typed with its code, says first whether they can.',
    )
    .allowExcessArguments(false)
    .action(async (build: string | undefined, given: Given) => {
      await withDeployment(signal, given, async ({ config, client, found, person }) => {
        const { readBuildId } = await import('./build-id.ts');
        const { awaitPromotable } = await import('./server.ts');
        const here = await readBuildId(config);
        const buildId = build ?? here;
        const { wait = 0 } = given;
        if (wait > 0) console.error(`waiting for workers of ${buildId}, for ${wait} s at most`);
        const asked = { buildId, waitMs: wait * 1_000, signal };
        const promotable = await awaitPromotable(client, found.name, asked);
        const { version } = promotable;
        if (given.replay && !(await replays({ client, version, here, config }, setExitCode))) return found;
        return move({ ...promotable, client, person }, { isRollback: false });
      });
    });
}

function rollbackCommand(signal: AbortSignal): Command {
  return new Command('rollback')
    .description('promotes the version that was current before; a second one goes further back')
    .option(...DEPLOYMENT)
    .option(...AUTHOR)
    .option(...JSON_FILE)
    .addHelpText('after', '\nRefused while no worker of that version asks for work: start one first.')
    .allowExcessArguments(false)
    .action(async (given: Given) => {
      await withDeployment(signal, given, async ({ client, found, person }) => {
        const { requirePromotable, versionBefore } = await import('./rules.ts');
        const version = requirePromotable(found, versionBefore(found).buildId);
        return move({ client, found, version, person }, { isRollback: true });
      });
    });
}

type Client = import('@temporalio/client').Client;

interface Access {
  config: Config;
  client: Client;
  found: Looked;
  person: string;
}

/** @param work answers with what is written as JSON */
async function withDeployment(
  signal: AbortSignal,
  given: Given,
  work: (access: Access) => Promise<Deployment>,
): Promise<void> {
  const config = readConfig();
  const name = given.deployment ?? config.deployment;
  if (name === undefined)
    throw new PipelineError(
      'CONFIG_INVALID',
      'which deployment? Set STRATA_DEPLOYMENT, for the workers too, or add --deployment NAME; workers without one have no version',
    );
  if (!DEPLOYMENT_NAME.pattern.test(name))
    throw new PipelineError(
      'CONFIG_INVALID',
      `--deployment must be a name of ${DEPLOYMENT_NAME.words}, found "${name}"`,
    );
  const json = given.json && resolve(config.invokedFrom, given.json);
  await checkFolder('--json', json);
  const person = personOf('--author', given.author);
  const { withTemporal } = await import('../with-temporal.ts');
  const { lookAt } = await import('./server.ts');
  await withTemporal(config, signal, async ({ client }) => {
    const found = await lookAt(client, name);
    const { conflictToken: _, ...shown } = (await work({ config, client, found, person })) as Looked;
    await writeJson('--json', json, shown, 'what was promoted stays promoted');
  });
}

async function move(
  { client, found, version, person }: Pick<Access, 'client' | 'found' | 'person'> & { version: Version },
  { isRollback }: { isRollback: boolean },
): Promise<Deployment> {
  const { promotedReport } = await import('./report.ts');
  const { lookAt, setCurrent } = await import('./server.ts');
  const isThere = found.current === version.buildId;
  if (!isThere) await setCurrent(client, found, version.buildId, { person });
  console.log(promotedReport(found, version, { isRollback }));
  return isThere ? found : lookAt(client, found.name);
}

/** What is pinned to another version does not concern this one. */
async function replays(
  { client, version, here, config }: Pick<Access, 'client' | 'config'> & { version: Version; here: string },
  setExitCode: SetExitCode,
): Promise<boolean> {
  if (version.buildId !== here)
    throw new PipelineError(
      'DEPLOY_REFUSED',
      `--replay replays with the code here, which is ${here} and not ${version.buildId}: check out that commit, or leave --replay out`,
    );
  const { replayMoving } = await import('./replay-moving.ts');
  const isSound = await replayMoving(config, client);
  if (!isSound) setExitCode(1);
  return isSound;
}
