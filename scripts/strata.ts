import { Command } from 'commander';
import { alertsCommand } from './alerts.ts';
import { assignCommand } from './assign.ts';
import { backfillCommand } from './backfill.ts';
import { cancelCommand } from './cancel.ts';
import { checkCommand } from './check.ts';
import { endProcess } from './closing-stack.ts';
import { codecServerCommand } from './codec/command.ts';
import { compareCommand } from './compare.ts';
import { contractCommand } from './contract.ts';
import { deployCommand } from './deploy/command.ts';
import { diffCommand } from './diff.ts';
import { doctorCommand } from './doctor/command.ts';
import { errorText } from './error-text.ts';
import { evolutionCommand } from './evolution.ts';
import { featuresCommand } from './features.ts';
import { inboxCommand } from './inbox.ts';
import { initCommand } from './init/command.ts';
import { clearSteps } from './log.ts';
import { modelCommand } from './model.ts';
import { namesCommand } from './names.ts';
import { refuseKeptByNpm, tellOfNpm } from './npm-options.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { quarantineCommand } from './quarantine.ts';
import { replayCommand } from './replay-command.ts';
import { reproduceCommand } from './reproduce.ts';
import { retryCommand } from './retry.ts';
import { reviewCommand } from './review.ts';
import { schedulesCommand } from './schedules/command.ts';
import { showCommand } from './show/command.ts';
import { runsCommand } from './show/runs-command.ts';
import { signalCommand } from './signal.ts';
import { tracedCommand } from './traces/command.ts';

const INTERRUPTED = 130;
const TYPED = 'npm run strata --';

endProcess(await main(process.argv.slice(2)));

/** The operator's command; each subcommand is a file of its own. */
async function main(argv: string[]): Promise<number> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort(signal));
  let exitCode = 0;
  const strata = new Command(TYPED)
    .description('Operates Strata: what one does beside starting runs')
    .showHelpAfterError('(npm run strata -- --help shows what there is)')
    .addCommand(
      assignCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      backfillCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      compareCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      alertsCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(runsCommand(end.signal))
    .addCommand(
      showCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      doctorCommand((code) => {
        exitCode = code;
      }),
    )
    .addCommand(codecServerCommand(end.signal))
    .addCommand(signalCommand(end.signal))
    .addCommand(inboxCommand(end.signal))
    .addCommand(featuresCommand(end.signal))
    .addCommand(modelCommand(end.signal))
    .addCommand(namesCommand(end.signal))
    .addCommand(diffCommand(end.signal))
    .addCommand(evolutionCommand(end.signal))
    .addCommand(quarantineCommand(end.signal))
    .addCommand(
      checkCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      contractCommand((code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      reviewCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(pauseCommand(end.signal))
    .addCommand(resumeCommand(end.signal))
    .addCommand(
      cancelCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      retryCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      replayCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      reproduceCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      deployCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      schedulesCommand(end.signal, (code) => {
        exitCode = code;
      }),
    )
    .addCommand(
      initCommand(end.signal, (code) => {
        exitCode = code;
      }),
    );
  if (argv.length === 0) {
    strata.outputHelp();
    return 0;
  }
  try {
    refuseKeptByNpm(strata, TYPED);
    tellOfNpm(strata, TYPED);
    await tracedCommand(nameOf(argv, strata), () => strata.parseAsync(argv, { from: 'user' }));
    return exitCode;
  } catch (error) {
    const { aborted, reason } = end.signal;
    if (aborted && !(reason instanceof Error)) return INTERRUPTED;
    clearSteps();
    console.error(errorText(aborted ? reason : error));
    return 1;
  }
}

/** What a trace calls it: of what was typed, only the word that there is a command for. */
function nameOf([typed]: readonly string[], { commands }: Command): string {
  return `strata ${commands.find((command) => command.name() === typed)?.name() ?? ''}`.trim();
}
