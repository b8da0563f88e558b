import { resolve } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { Command } from 'commander';
import { listExecutions } from '../activities/list-executions.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { InboxView } from '../pipelines/contracts/inbox.ts';
import { HANDLERS, WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { isKeyMissing } from './codec/read-payload.ts';
import { type Config, readConfig } from './config.ts';
import { innermostMessage } from './error-text.ts';
import { checkFolder, writeJson } from './output-file.ts';
import type { TemporalAccess } from './with-temporal.ts';

const ANSWER_WITHIN_MS = 10_000;

/** `strata inbox`: what waits, what runs, what came of the last runs, and what was refused. Needs Temporal and a worker. */
export function inboxCommand(signal: AbortSignal): Command {
  return new Command('inbox')
    .description("shows a pipeline's inbox: what waits, what runs, the last runs and refusals")
    .argument('[pipeline]', 'only of this one')
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, { json }: { json?: string }) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      await checkFolder('--json', file);
      const { withTemporal } = await import('./with-temporal.ts');
      await withTemporal(config, signal, (temporal) => show(config, { pipeline, file }, temporal));
    });
}

async function show(
  config: Config,
  { pipeline, file }: { pipeline: string | undefined; file: string | undefined },
  { client, connection, addressOf }: TemporalAccess,
): Promise<void> {
  const { inboxReport } = await import('./inbox-report.ts');
  const open = await openInboxes(client, pipeline);
  // A name mistyped is the likelier mistake: it is answered with those that there are.
  if (pipeline !== undefined && open.length === 0) await checkName(config, pipeline);
  const views: InboxView[] = [];
  for (const workflowId of open) views.push(await viewOf({ client, connection }, workflowId));
  const texts = views.map((view, i) => inboxReport(view, addressOf({ id: open[i]! })));
  console.log(
    texts.length > 0
      ? texts.join('\n\n')
      : 'no inbox is open: the first message makes it (npm run strata -- signal --help)',
  );
  await writeJson('--json', file, views);
}

async function openInboxes(client: Client, pipeline: string | undefined): Promise<string[]> {
  const which = pipeline === undefined ? '' : ` AND WorkflowId = ${quoted(workflowIds.inbox(pipeline))}`;
  const query = `WorkflowType = '${WORKFLOWS.pipelineInbox}' AND ExecutionStatus = 'Running'${which}`;
  const ids: string[] = [];
  for await (const { workflowId } of listExecutions(client, query)) ids.push(workflowId);
  return ids.sort();
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

async function checkName(config: Config, pipeline: string): Promise<void> {
  const { loadDefinition } = await import('../store/definitions.ts');
  const { definitionFolders } = await import('./definition-folders.ts');
  await loadDefinition(definitionFolders(config), pipeline);
}

async function viewOf(
  { client, connection }: { client: Client; connection: Connection },
  workflowId: string,
): Promise<InboxView> {
  try {
    return await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).query<InboxView>(HANDLERS.inbox),
    );
  } catch (cause) {
    if (isKeyMissing(cause)) throw cause;
    throw new PipelineError(
      'TEMPORAL_UNREACHABLE',
      `${workflowId} is open and keeps what it is sent, but no worker answers for it: ${innermostMessage(cause)}; start one (npm start, or npm run worker)`,
      { workflowId },
      { cause },
    );
  }
}
