import type { ActivityContext } from '../activities/context.ts';
import { DEFAULT_ALERTS } from '../pipelines/contracts/alert-settings.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { type Backtest, backtestAlerts } from '../pipelines/stages/alerts/backtest.ts';
import { loadDefinition } from '../store/definitions.ts';
import { backtestReport } from './alerts-report.ts';

/** More than there will be of one pipeline in ten years of days. */
const MOST_RUNS = 5_000;

/** @throws PipelineError INPUT_INVALID when nothing was published that the rules could be asked about */
export async function backtest(
  { repositories, definitionFolders }: Pick<ActivityContext, 'repositories' | 'definitionFolders'>,
  { pipeline, from, to }: { pipeline: string; from?: string | undefined; to?: string | undefined },
): Promise<{ result: Backtest; report: string }> {
  const { definition } = await loadDefinition(definitionFolders, pipeline);
  const measurements = await repositories.alerts.measurePublished(pipeline, { limit: MOST_RUNS });
  const result = backtestAlerts(measurements, {
    settings: definition.alerts ?? DEFAULT_ALERTS,
    currency: definition.currency,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  });
  if (result.runs === 0) {
    throw new PipelineError(
      'INPUT_INVALID',
      `a backtest needs publications of ${pipeline} in its time, found none of ${measurements.length}`,
    );
  }
  return { result, report: backtestReport(pipeline, result) };
}
