import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { type MessageName, readMessage, refusedBy } from '../pipelines/contracts/inbox-message.ts';
import { DEFAULT_INBOX } from '../pipelines/contracts/inbox-settings.ts';
import type { RunKind } from '../pipelines/contracts/run.ts';
import { WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { type Config, readConfig } from './config.ts';
import { isoDate } from './option-values.ts';

interface Given {
  pipeline: string;
  input?: string;
  kind?: RunKind;
  extract?: string;
  asOf?: string;
  id?: string;
}

/** `strata signal`: what other pipelines send to the inbox of one. Needs Temporal alone. */
export function signalCommand(signal: AbortSignal): Command {
  return new Command('signal')
    .description("sends a message to a pipeline's inbox, which starts its runs, one at a time")
    .addCommand(
      messageCommand('extract-landed', 'extractLanded', signal)
        .description(
          'says that an extract has landed; a run starts when all inputs have that the definition names',
        )
        .option(
          '--input <name>',
          "which of the definition's inputs; may be left out where there is one, or none",
        ),
    )
    .addCommand(
      messageCommand('request-run', 'requestRun', signal)
        .description('asks for a run, whatever has landed')
        .addOption(
          new Option(
            '--kind <kind>',
            'fit anew, or assign by the published model (default: as inbox.run says)',
          ).choices(['refit', 'assign']),
        ),
    );
}

function messageCommand(command: string, name: MessageName, signal: AbortSignal): Command {
  return new Command(command)
    .requiredOption('--pipeline <name>', 'pipeline whose inbox is meant')
    .option('--extract <file>', "file to read in place of the definition's source, as the worker sees it")
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option('--id <text>', 'names the message: the same one sent again changes nothing')
    .addHelpText('after', '\nWhat becomes of it: npm run strata -- inbox <pipeline>')
    .allowExcessArguments(false)
    .action((given: Given) => send(readConfig(), { name, given }, signal));
}

async function send(
  config: Config,
  { name, given: { pipeline, ...rest } }: { name: MessageName; given: Given },
  signal: AbortSignal,
): Promise<void> {
  const { extract } = rest;
  const sent = { ...rest, ...(extract !== undefined && { extract: located(extract, config) }) };
  // Nobody answers a signal: what can be known before it is sent is said here.
  await check(config, { pipeline, name, sent });
  const { withTemporal } = await import('./with-temporal.ts');
  await withTemporal(config, signal, async ({ client, addressOf }) => {
    const workflowId = workflowIds.inbox(pipeline);
    await client.workflow.signalWithStart(WORKFLOWS.pipelineInbox, {
      ...{ workflowId, taskQueue: TASK_QUEUES.workflows, args: [{ pipeline }] },
      ...{ signal: name, signalArgs: [sent], staticSummary: `inbox of ${pipeline}` },
    });
    console.log(`${name} sent to ${workflowId}; a worker takes it up (npm start, or npm run worker)`);
    console.log(`inbox  ${addressOf({ id: workflowId })}`);
  });
}

/** A path of this folder; an address stays as it is. */
function located(extract: string, { invokedFrom }: Config): string {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(extract) ? extract : resolve(invokedFrom, extract);
}

async function check(
  config: Config,
  { pipeline, name, sent }: { pipeline: string; name: MessageName; sent: object },
): Promise<void> {
  const { loadDefinition } = await import('../store/definitions.ts');
  const { definitionFolders } = await import('./definition-folders.ts');
  const message = readMessage(name, [sent]);
  if (typeof message === 'string') throw new PipelineError('INPUT_INVALID', message);
  const { definition } = await loadDefinition(definitionFolders(config), pipeline);
  const reason = refusedBy(definition.inbox ?? DEFAULT_INBOX, message);
  if (reason !== null) throw new PipelineError('INPUT_INVALID', reason);
}
