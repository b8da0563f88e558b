import { resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from './config.ts';
import { isoDate } from './option-values.ts';
import { checkFolder, writeJson } from './output-file.ts';
import { personOf } from './person.ts';
import { textOf } from './quarantine.ts';
import { withStores } from './stores.ts';

interface Handling {
  note?: string;
  author?: string;
}

/** `strata alerts`: what runs had to tell, and what people did about it. Needs PostgreSQL alone. */
export function alertsCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('alerts')
    .description('lists alerts, acknowledges and resolves them, and asks the rules about past runs')
    .addCommand(listCommand(signal))
    .addCommand(showCommand(signal))
    .addCommand(ackCommand(signal))
    .addCommand(resolveCommand(signal))
    .addCommand(backtestCommand(signal, setExitCode))
    .addCommand(deliverCommand(signal, setExitCode));
}

function listCommand(signal: AbortSignal): Command {
  return new Command('list')
    .description('lists the alerts that are not resolved, newest first, and the messages that wait')
    .argument('[pipeline]', 'only of this pipeline')
    .option('--all', 'the resolved ones, too')
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: { all?: boolean; json?: string }) => {
      const config = readConfig();
      const json = given.json && resolve(config.invokedFrom, given.json);
      await checkFolder('--json', json);
      const { listReport } = await import('./alerts-report.ts');
      const { loadDefinition } = await import('../store/definitions.ts');
      await withStores(config, signal, async ({ repositories, definitionFolders }) => {
        const alerts = await repositories.alerts.list({
          ...(pipeline && { pipeline }),
          all: given.all === true,
        });
        // A name mistyped is the likelier mistake: it is answered with those that there are.
        if (pipeline && alerts.length === 0) await loadDefinition(definitionFolders, pipeline);
        const waiting = await repositories.outbox.waiting(pipeline);
        console.log(listReport(alerts, waiting));
        await writeJson('--json', json, { alerts, waiting });
      });
    });
}

function showCommand(signal: AbortSignal): Command {
  return new Command('show')
    .description('tells all that is known of an alert, and the SQL of the customers behind it')
    .argument('<id>', 'of the alert, as list shows it')
    .allowExcessArguments(false)
    .action(async (alertId: string) => {
      const { showReport } = await import('./alerts-report.ts');
      const { loadDefinition } = await import('../store/definitions.ts');
      await withStores(readConfig(), signal, async ({ repositories, definitionFolders }) => {
        const alert = await repositories.alerts.get(alertId);
        // One whose definition is gone or broken is shown all the same.
        const loaded = await loadDefinition(definitionFolders, alert.pipeline).catch(() => null);
        console.log(showReport(alert, loaded?.definition.currency ?? ''));
      });
    });
}

function ackCommand(signal: AbortSignal): Command {
  return handling(
    'ack',
    'says that somebody looks at an alert: it is sent again only when it gets worse',
    async (id, by) => {
      const { handledReport } = await import('./alerts-report.ts');
      await withStores(readConfig(), signal, async ({ repositories }) => {
        console.log(handledReport(await repositories.alerts.acknowledge(id, by)));
      });
    },
  );
}

function resolveCommand(signal: AbortSignal): Command {
  return handling('resolve', 'ends an alert: what moves next is a new one', async (id, by) => {
    const { handledReport } = await import('./alerts-report.ts');
    await withStores(readConfig(), signal, async ({ repositories }) => {
      console.log(handledReport(await repositories.alerts.resolve(id, by)));
    });
  });
}

function handling(
  name: string,
  description: string,
  act: (alertId: string, by: { author: string; note: string | null }) => Promise<void>,
): Command {
  return new Command(name)
    .description(description)
    .argument('<id>', 'of the alert, as list shows it')
    .option('--note <text>', 'why, for who reads it later')
    .option('--author <name>', 'who does it (default: the user of the system)')
    .allowExcessArguments(false)
    .action((alertId: string, { note, author }: Handling) =>
      act(alertId, { author: personOf('--author', author), note: textOf('--note', note) }),
    );
}

function backtestCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('backtest')
    .description('asks the rules of a pipeline about its past publications: how often would they have spoken')
    .argument('<pipeline>')
    .option('--from <date>', 'publications as of this date and later', isoDate)
    .option('--to <date>', 'publications as of this date and earlier', isoDate)
    .option('--json <file>', 'write all of it to this file, as JSON')
    .addHelpText('after', '\nEnds with 0 inside the budget of false alarms, with 2 beyond it.')
    .allowExcessArguments(false)
    .action(async (pipeline: string, given: { from?: string; to?: string; json?: string }) => {
      const config = readConfig();
      const json = given.json && resolve(config.invokedFrom, given.json);
      await checkFolder('--json', json);
      const { backtest } = await import('./alerts-backtest.ts');
      await withStores(config, signal, async (context) => {
        const found = await backtest(context, { pipeline, from: given.from, to: given.to });
        console.log(found.report);
        await writeJson('--json', json, found.result);
        if (!found.result.isWithinBudget) setExitCode(2);
      });
    });
}

function deliverCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('deliver')
    .description('tries to deliver the messages that wait, now; what is postponed stays so')
    .argument('<pipeline>')
    .addHelpText('after', '\nEnds with 0, or with 2 where a receiver did not take its message.')
    .allowExcessArguments(false)
    .action(async (pipeline: string) => {
      const { deliverNow } = await import('./alerts-deliver.ts');
      await withStores(readConfig(), signal, async (context) => {
        const { report, isRefused } = await deliverNow(context, pipeline, signal);
        console.log(report);
        if (isRefused) setExitCode(2);
      });
    });
}
