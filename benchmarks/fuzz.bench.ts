import setUp from '../tests/helpers/global-set-up.ts';
import { keepFigures } from './figures.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  messages: number;
  seed: number;
  words: boolean;
  json?: string;
}

/**
 * Random start inputs, signals, updates and queries, right, wrong and broken, to all workflow types on a real Temporal
 * server: what got stuck, and which refusals do not say what was expected. None and none is what is promised.
 */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('fuzz')
    .option('--messages <messages>', 'how many are sent', count, 1_000)
    .option('--seed <seed>', 'the same seed sends the same messages', count, 1)
    .option('--words', 'tell the words of all refusals', false)
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const tearDown = await setUp();
  try {
    const { fuzz } = await import('../tests/helpers/fuzz-run.ts');
    const { fuzzMessages } = await import('../tests/helpers/fuzz-messages.ts');
    const { fuzzStages } = await import('../tests/helpers/fuzz-stages.ts');
    const { bundleWorkflows, withWorker } = await import('../tests/helpers/temporal.ts');
    const activities = fuzzStages();
    await withWorker({ bundle: await bundleWorkflows(), activities }, async (runs) => {
      const began = performance.now();
      const report = await fuzz(runs, fuzzMessages(options.messages, options.seed));
      const seconds = (performance.now() - began) / 1_000;
      const { words, ...figures } = report;
      if (options.words) for (const line of words) console.log(line);
      console.log(JSON.stringify({ seed: options.seed, seconds, ...figures }, null, 2));
      await keepFigures(options.json, { options, seconds, ...report });
      if (report.faults.length > 0) process.exitCode = 1;
    });
  } finally {
    await tearDown();
  }
}
