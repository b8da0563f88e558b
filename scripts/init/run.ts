import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { runMainJob } from '../main-job.ts';
import { openStrata } from '../open-strata.ts';
import { EXIT_CODES, runReport, whereToLook } from '../run-report.ts';

interface DraftedRun {
  code: number;
  summary: RunSummary | null;
  /** For a person. */
  report: string;
}

/** The main job, as `npm start -- --once` does it. */
export async function runDrafted(
  config: Config,
  input: StartInput,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<DraftedRun> {
  const strata = await openStrata({ config, log, signal });
  const broken = new AbortController();
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const job = await runMainJob(strata, input, AbortSignal.any([signal, broken.signal]));
    const { summary, message, address } = job;
    const report = summary
      ? runReport(summary, await whereToLook(summary, { config, address }))
      : `${message ?? 'the run ended without a summary'}\nrun  ${address}`;
    return { code: EXIT_CODES[job.outcome], summary, report };
  } finally {
    await strata.close();
  }
}
