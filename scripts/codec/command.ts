import { Command, InvalidArgumentError } from 'commander';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { wholeNumber } from '../option-values.ts';

const DEFAULT_PORT = 8_888;
const UI_ABOVE = 1_000;
const LOOPBACKS = ['127.0.0.1', '::1', 'localhost'];

interface Given {
  host: string;
  port: number;
  allowOrigin: string[];
  tokenEnv?: string;
}

/** `strata codec-server`: lets the Temporal UI and CLI read encrypted payloads. Needs the keys alone. */
export function codecServerCommand(signal: AbortSignal): Command {
  return new Command('codec-server')
    .description('lets the Temporal UI and CLI read payloads that are encrypted with the keys given here')
    .option('--host <address>', 'where to listen; other machines than this one need --token-env', '127.0.0.1')
    .option('--port <number>', 'the port to listen on', wholeNumber, DEFAULT_PORT)
    .option(
      '--allow-origin <url>',
      'whose pages may ask, such as https://cloud.temporal.io; may be given several times (default: the UI that Strata starts)',
      (url: string, urls: string[]) => [...urls, originOf(url)],
      [],
    )
    .option('--token-env <name>', 'name of the variable with the token that each request has to bring')
    .allowExcessArguments(false)
    .action((given: Given) => serve(readConfig(), given, signal));
}

async function serve(config: Config, { host, port, ...given }: Given, signal: AbortSignal): Promise<void> {
  const { codecKeys, ports, logLevel } = config;
  const token = tokenOf(config, given.tokenEnv);
  if (codecKeys.length === 0) {
    throw new PipelineError(
      'CONFIG_INVALID',
      'a codec server needs keys, found none; set STRATA_CODEC_KEYS or STRATA_CODEC_KEYS_FILE as the worker has it',
    );
  }
  if (!LOOPBACKS.includes(host) && token === undefined) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `a codec server that other machines reach (${host}) needs a token, since whoever asks it reads everything; name its variable with --token-env`,
    );
  }
  const uiPort = ports.temporal + UI_ABOVE;
  const ownUi = [`http://127.0.0.1:${uiPort}`, `http://localhost:${uiPort}`];
  const allowedOrigins = given.allowOrigin.length > 0 ? given.allowOrigin : ownUi;
  const { startCodecServer } = await import('./server.ts');
  const log = createLog({ level: logLevel });
  const server = await startCodecServer({ codecKeys, host, port, allowedOrigins, token, log });
  console.log(`codec server  ${server.url}, for pages of ${allowedOrigins.join(', ')}`);
  console.log(`keys          ${codecKeys.map(({ id }) => id).join(', ')}: the first encrypts`);
  if (!signal.aborted) await new Promise((ended) => signal.addEventListener('abort', ended, { once: true }));
  await server.close();
}

function tokenOf({ tools }: Config, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const token = tools.secret(name);
  if (token !== undefined) return token;
  throw new PipelineError(
    'CONFIG_INVALID',
    `--token-env needs the name of a variable that is set, ${name} is not`,
  );
}

/** Browsers send no path and no slash at the end. */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new InvalidArgumentError('needs the address of a page, such as https://cloud.temporal.io.');
  return url.origin;
}
