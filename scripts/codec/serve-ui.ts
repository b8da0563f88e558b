import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { startCodecServer } from './server.ts';

interface OwnTemporal {
  readonly started: boolean;
  readonly uiUrl: string | undefined;
  readonly codecPort?: number | undefined;
}

/**
 * The codec server that the UI of our own Temporal was started with, so that its pages read what is encrypted. Nothing
 * where there are no keys, and for a server of somebody else's: `strata codec-server` is for that.
 *
 * @returns what ends it
 */
export async function serveTemporalUi(
  { codecKeys }: Pick<Config, 'codecKeys'>,
  { started, uiUrl, codecPort: port }: OwnTemporal,
  log: Log,
): Promise<() => Promise<void>> {
  const nothing = async () => undefined;
  if (codecKeys.length === 0 || !started || uiUrl === undefined) return nothing;
  if (port === undefined) {
    log.warn(
      'the Temporal UI shows payloads encrypted: its server was started without keys; end all that uses it and start again',
    );
    return nothing;
  }
  try {
    const allowedOrigins = [uiUrl, uiUrl.replace('127.0.0.1', 'localhost')];
    const server = await startCodecServer({ codecKeys, port, allowedOrigins, log });
    log.debug(`codec server for the Temporal UI: ${server.url}`);
    return () => server.close();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    // Another command of the same home answers already.
    log.debug(error.message);
    return nothing;
  }
}
