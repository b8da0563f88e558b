import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { firstLine } from '../error-text.ts';
import type { Log } from '../log.ts';
import type { RunningServices } from '../services/index.ts';
import type { DeploymentVersion } from '../strata-worker.ts';
import { lookAt } from './server.ts';

const WITHIN_MS = 5_000;

/** A worker that gets no work should say so, before somebody wonders; that it cannot tell is no reason not to work. */
export async function tellStanding(
  { temporal }: Pick<RunningServices<'temporal'>, 'temporal'>,
  { deploymentName, buildId }: DeploymentVersion,
  { dataConverter, log }: { dataConverter: DataConverter; log: Log },
): Promise<void> {
  try {
    const connection = await Connection.connect(temporal.connectionOptions);
    const client = new Client({ connection, namespace: temporal.namespace, dataConverter });
    const { current } = await lookAt(client, deploymentName, { withinMs: WITHIN_MS }).finally(() =>
      connection.close(),
    );
    if (current === buildId) return;
    const promote = `npm run strata -- deploy promote ${buildId}`;
    if (current === null)
      log.warn(`no version of ${deploymentName} is current, so this worker gets no work: ${promote}`);
    else log.info(`new runs go to ${current}; to have them here: ${promote}`);
  } catch (error) {
    log.debug(`how the deployment stands is not known: ${firstLine(error)}`);
  }
}
