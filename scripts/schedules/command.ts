import { resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { isoDateOrMoment, wholeNumber } from '../option-values.ts';
import { checkFolder, writeJson } from '../output-file.ts';
import { personOf } from '../person.ts';
import { textOf } from '../quarantine.ts';
import type { Temporal } from './open-temporal.ts';
import type { Wanted } from './wanted.ts';
import type { Watch } from './watch.ts';

const DIFFERS = 2;
const CHECKED_DAYS = 30;

interface Given {
  pipeline?: string;
  delete?: boolean;
  json?: string;
  note?: string;
  author?: string;
  from?: string;
  to?: string;
  days?: number;
}

type SetExitCode = (code: number) => void;

/** `strata schedules`: when runs start by themselves. Needs the Temporal server alone. */
export function schedulesCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('schedules')
    .description(
      'compares the schedules of pipeline.yaml with the Temporal server, applies and operates them',
    )
    .addCommand(planCommand(signal, setExitCode))
    .addCommand(applyCommand(signal, setExitCode))
    .addCommand(listCommand(signal))
    .addCommand(checkCommand(signal, setExitCode))
    .addCommand(switchCommand('pause', 'stops a schedule from starting runs; those going on go on', signal))
    .addCommand(switchCommand('unpause', 'lets a paused schedule start runs again', signal))
    .addCommand(triggerCommand(signal))
    .addCommand(backfillCommand(signal));
}

const PIPELINE = ['[pipeline]', 'only of this one (default: all definitions)'] as const;
const SCHEDULE = ['<schedule>', 'PIPELINE/NAME, as list shows it'] as const;
const JSON_FILE = ['--json <file>', 'write what is shown to this file, as JSON'] as const;

function planCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('plan')
    .description('shows how the files and the server differ; changes nothing')
    .argument(...PIPELINE)
    .option(...JSON_FILE)
    .addHelpText(
      'after',
      '\n+ new, ~ changed, - gone from the files, = the same, ! not made by apply and left alone.\n' +
        'Ends with 0 when files and server agree, 2 when they differ, 1 when that cannot be said.',
    )
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      await withSchedules(signal, { pipeline, given }, async ({ client, json, wanted, watch }) => {
        const { planOf } = await import('./apply.ts');
        const { planOfWatch } = await import('./watch.ts');
        const { planReport } = await import('./report.ts');
        const { differs } = await import('../../pipelines/stages/schedules/plan.ts');
        const plan = [...(await planOf(client, wanted, pipeline)), ...(await planOfWatch(client, watch))];
        console.log(planReport(plan, wanted, today()));
        await writeJson('--json', json, plan);
        if (differs(plan)) setExitCode(DIFFERS);
      });
    });
}

function applyCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('apply')
    .description('makes the server agree with the files; what apply did not make is never touched')
    .argument(...PIPELINE)
    .option('--delete', 'also delete what apply made and stands in no file any more')
    .option(...JSON_FILE)
    .addHelpText(
      'after',
      '\nRepeatable: a second one has nothing to do. A pause by hand stays, unless the file says `paused`.\n' +
        'Ends with 0 when files and server agree now, 2 when something was left as it is.',
    )
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      await withSchedules(signal, { pipeline, given }, async ({ client, json, wanted, watch }) => {
        const { apply } = await import('./apply.ts');
        const { applyWatch } = await import('./watch.ts');
        const { applyReport } = await import('./report.ts');
        const deletes = given.delete === true;
        const applied = await apply(client, wanted, { pipeline, deletes });
        applied.push(...(await applyWatch(client, watch, { deletes })));
        console.log(applyReport(applied));
        await writeJson('--json', json, applied, 'the schedules themselves are applied');
        if (applied.some(({ done }) => done === 'left')) setExitCode(DIFFERS);
      });
    });
}

function listCommand(signal: AbortSignal): Command {
  return new Command('list')
    .description('shows when each schedule is due next, whether it is paused, and what came of its last runs')
    .argument(...PIPELINE)
    .option(...JSON_FILE)
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      await withSchedules(signal, { pipeline, given }, async ({ client, json }) => {
        const { listSchedules } = await import('./list.ts');
        const { listReport } = await import('./report.ts');
        const schedules = await listSchedules(client, pipeline);
        console.log(listReport(schedules));
        await writeJson('--json', json, schedules);
      });
    });
}

function checkCommand(signal: AbortSignal, setExitCode: SetExitCode): Command {
  return new Command('check')
    .description('asks whether each due time has its run: what was missed, skipped or paused, and what to do')
    .argument(...PIPELINE)
    .option('--days <number>', 'so far back (default: 30)', wholeNumber, CHECKED_DAYS)
    .option(...JSON_FILE)
    .addHelpText(
      'after',
      '\nEnds with 0 when each has, 2 when a person is needed (also where nobody would be sent what is missed), 1 when that\n' +
        'cannot be said. Due times of before a schedule was made or last changed do not count.',
    )
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      await withSchedules(signal, { pipeline, given }, async ({ client, json }) => {
        const { checkSchedules } = await import('./check.ts');
        const { findSchedule } = await import('./found.ts');
        const { checkReport, isWatched, needsPerson } = await import('./report.ts');
        const { WATCH_ID } = await import('../../pipelines/stages/schedules/facts.ts');
        const now = new Date().toISOString();
        const checked = await checkSchedules(client, { pipeline, now, days: given.days ?? CHECKED_DAYS });
        const watch = await findSchedule(client, WATCH_ID);
        console.log(checkReport(checked, watch));
        await writeJson('--json', json, checked);
        if (checked.some(needsPerson) || (checked.length > 0 && !isWatched(watch))) setExitCode(DIFFERS);
      });
    });
}

function switchCommand(name: 'pause' | 'unpause', description: string, signal: AbortSignal): Command {
  return new Command(name)
    .description(description)
    .argument(...SCHEDULE)
    .option('--note <text>', 'why, for who reads it later')
    .option('--author <name>', 'who does it (default: the user of the system)')
    .allowExcessArguments(false)
    .action(async (schedule: string, given: Given) => {
      const by = { author: personOf('--author', given.author), note: textOf('--note', given.note) };
      await onServer(signal, async ({ client }) => {
        const operations = await import('./operate.ts');
        console.log(await operations[name](client, { schedule, ...by }));
      });
    });
}

function triggerCommand(signal: AbortSignal): Command {
  return new Command('trigger')
    .description('starts a run of a schedule now, also when it is paused; it is as of today by its clock')
    .argument(...SCHEDULE)
    .allowExcessArguments(false)
    .action(async (schedule: string) => {
      await onServer(signal, async (temporal) => {
        const { trigger } = await import('./operate.ts');
        const { triggerReport } = await import('./report.ts');
        console.log(triggerReport(await trigger(temporal.client, schedule), temporal.addressOf));
        await tellOfWorker(temporal);
      });
    });
}

function backfillCommand(signal: AbortSignal): Command {
  return new Command('backfill')
    .description(
      'runs for the times at which a schedule was due on past days, each as of its day, one by one',
    )
    .argument(...SCHEDULE)
    .requiredOption(
      '--from <date>',
      "first day, by the schedule's clock; or first moment, such as 2026-06-01T04:00Z",
      isoDateOrMoment,
    )
    .requiredOption('--to <date>', 'last day, or moment', isoDateOrMoment)
    .addHelpText(
      'after',
      '\nReturns when it is asked for: the runs are in the list and in the Temporal UI. Dates before what is published\n' +
        'are held, refused or kept aside as `review.beforePublished` says. Example:\n' +
        '  npm run strata -- schedules backfill shop/daily --from 2026-06-01 --to 2026-06-07',
    )
    .allowExcessArguments(false)
    .action(async (schedule: string, { from = '', to = '' }: Given) => {
      await onServer(signal, async (temporal) => {
        const { backfill } = await import('./operate.ts');
        const { backfillReport } = await import('./report.ts');
        console.log(backfillReport(await backfill(temporal.client, { schedule, from, to }), { from, to }));
        await tellOfWorker(temporal);
      });
    });
}

async function tellOfWorker({ hasWorker }: Temporal): Promise<void> {
  if (!(await hasWorker()))
    console.log('No worker polls for it: it begins when one does (npm start, or npm run worker)');
}

function onServer<R>(signal: AbortSignal, work: (temporal: Temporal) => Promise<R>): Promise<R> {
  return import('./open-temporal.ts').then(({ withTemporal }) => withTemporal(readConfig(), signal, work));
}

/** The definitions are read, and refused, before anything is started for them. */
async function withSchedules(
  signal: AbortSignal,
  { pipeline, given }: { pipeline: string | undefined; given: Given },
  work: (open: Temporal & { json: string | undefined; wanted: Wanted[]; watch: Watch }) => Promise<unknown>,
): Promise<void> {
  const config = readConfig();
  const json = given.json && resolve(config.invokedFrom, given.json);
  await checkFolder('--json', json);
  const { definitionFolders } = await import('../definition-folders.ts');
  const { wantedSchedules } = await import('./wanted.ts');
  const wanted = await wantedSchedules(definitionFolders(config), pipeline);
  const watch = {
    everyMinutes: config.watchMinutes,
    ...{ isWanted: wanted.length > 0, isOfAll: pipeline === undefined },
  };
  const { withTemporal } = await import('./open-temporal.ts');
  await withTemporal(config, signal, (temporal) => work({ ...temporal, json, wanted, watch }));
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
