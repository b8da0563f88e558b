import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  type BackfillInput,
  INTERVALS,
  type Interval,
  parseBackfillInput,
  STOPS,
  type Stop,
} from '../pipelines/contracts/backfill.ts';
import type { ReviewPolicy } from '../pipelines/contracts/run.ts';
import { backfillReport, exitCodeOf, reportOf } from './backfill-report.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { FILE_KINDS, isoDate, SEGMENT_COUNTS, segmentCount, wholeNumber } from './option-values.ts';
import { checkFolder, writeJson } from './output-file.ts';

interface Given {
  pipeline?: string;
  from?: string;
  to?: string;
  every?: Interval;
  extract?: string;
  k?: number;
  seed?: number;
  review?: ReviewPolicy;
  stopOn?: Stop;
  again?: boolean;
  json?: string;
}

/** `strata backfill`: starts what `npm start` starts, runs over past as-of dates, stops what it started. */
export function backfillCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('backfill')
    .description('runs over past as-of dates, in order, and so builds the history of segments and movements')
    .option('--pipeline <name>', 'pipeline definition (default: shop)')
    .option('--from <date>', 'first as-of date (default: the first one after what is published)', isoDate)
    .option(
      '--to <date>',
      'up to this as-of date (default: as far as the data is known to go; needed with an extract that no run has read)',
      isoDate,
    )
    .addOption(
      new Option('--every <interval>', 'from one date to the next').choices(INTERVALS).default('month'),
    )
    .option('--extract <file>', `file to read in place of the definition's source: ${FILE_KINDS}`)
    .option('--k <number>', `this many segments in every run, ${SEGMENT_COUNTS}`, segmentCount)
    .option('--seed <number>', "in place of the definition's seed", wholeNumber)
    .addOption(
      new Option('--review <policy>', 'whether runs wait for a person (default: never)').choices([
        'never',
        'when-unstable',
        'always',
      ]),
    )
    .addOption(
      new Option(
        '--stop-on <end>',
        'end before the last date when a run failed, or was not published for whatever reason (default: never)',
      ).choices(STOPS),
    )
    .option('--again', 'also dates that were published by the same definition, k, seed and extract')
    .option('--json <file>', 'write what came of each date to this file, as JSON')
    .addHelpText(
      'after',
      '\nEnds with 0 when every date is published, 2 when a run was rejected, 1 when one failed. Ctrl-C cancels the run\n' +
        'that is going on and the backfill; what is published stays, and the same command goes on from there. Example:\n' +
        '  npm run strata -- backfill --pipeline online-retail --extract online_retail.parquet --from 2011-04-01 --to 2011-12-01',
    )
    .allowExcessArguments(false)
    .action(async ({ json, ...given }: Given) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      setExitCode(await backfill(config, { input: inputOf(given, config), json: file }, signal));
    });
}

function inputOf({ extract, ...rest }: Omit<Given, 'json'>, { invokedFrom }: Config): BackfillInput {
  const input: BackfillInput = {
    ...rest,
    ...(extract !== undefined && { extract: resolve(invokedFrom, extract) }),
  };
  parseBackfillInput(input);
  return input;
}

async function backfill(
  config: Config,
  { input, json }: { input: BackfillInput; json: string | undefined },
  signal: AbortSignal,
): Promise<number> {
  const { awaitHistory, checkInput } = await import('./main-job.ts');
  const { pipeline, extract } = input;
  await checkInput(
    { ...(pipeline !== undefined && { pipeline }), ...(extract !== undefined && { extract }) },
    config,
  );
  await checkFolder('--json', json);
  const { openStrata } = await import('./open-strata.ts');
  const { followBackfill } = await import('./follow-backfill.ts');
  const log = createLog({ level: config.logLevel });
  const strata = await openStrata({ config, log, signal });
  const broken = new AbortController();
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const summary = await followBackfill(strata, input, AbortSignal.any([signal, broken.signal]));
    for (const { runId } of summary.dates.slice(-1))
      if (runId) await awaitHistory(strata.client, runId, { log });
    await awaitHistory(strata.client, summary.workflow.runId, { log });
    const runIds = summary.dates.flatMap(({ runId }) => runId ?? []);
    const report = reportOf(summary, await strata.repositories.backfills.figuresOf(runIds));
    await writeJson('--json', json, report, 'the runs themselves stand');
    console.log(`\n${backfillReport(report, { backfill: strata.addressAfter(summary.workflow) })}`);
    return exitCodeOf(summary);
  } finally {
    await strata.close();
  }
}
