import { endProcess } from './closing-stack.ts';
import { errorText } from './error-text.ts';
import { clearSteps } from './log.ts';
import { replayCommand } from './replay-command.ts';

// `npm run replay`: the same as `npm run strata -- replay`.

const INTERRUPTED = 130;

endProcess(await main(process.argv.slice(2)));

async function main(argv: string[]): Promise<number> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort(signal));
  let exitCode = 0;
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  try {
    await replayCommand(end.signal, setExitCode, 'npm run replay --').parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    const { aborted, reason } = end.signal;
    if (aborted && !(reason instanceof Error)) return INTERRUPTED;
    clearSteps();
    console.error(errorText(error));
    return 1;
  }
}
