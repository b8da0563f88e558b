import { expect, test } from 'vitest';
import { createPayloadCodec, ENCODING } from '../../scripts/codec/payload-codec.ts';
import type { LogLevel } from '../../scripts/log.ts';
import { createLog } from '../../scripts/log.ts';
import { createTemporalLogger } from '../../scripts/temporal-logger.ts';

function linesAt(level: LogLevel, say: (logger: ReturnType<typeof createTemporalLogger>) => void): string[] {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) } as unknown as NodeJS.WritableStream;
  say(createTemporalLogger(createLog({ stream, level })));
  return lines;
}

const native = { sdkComponent: 'core', task_token: '0a2432' };

test('what the native part complains of is for debugging alone, and without its fields', () => {
  const complain = (logger: ReturnType<typeof createTemporalLogger>) => {
    logger.warn('Task not found when completing', native);
    logger.error('Poll failed', native);
  };
  expect(linesAt('info', complain)).toEqual([]);
  expect(linesAt('debug', complain)).toEqual([
    'Temporal: Task not found when completing\n',
    'Temporal: Poll failed\n',
  ]);
});

test('a failed activity is one line with what and which, the rest of its words are not', () => {
  const lines = linesAt('info', (logger) => {
    logger.info('Activity started', { activityType: 'fitClusters' });
    logger.warn('Activity failed\n  at stack', { activityType: 'fitClusters', attempt: 2, error: {} });
    logger.warn('No workflows registered, only polling for activities');
  });
  expect(lines).toEqual([expect.stringMatching(/^\S+ Temporal: Activity failed \(fitClusters, 2\)\n$/)]);
});

test('of a call that was refused stands which it was, and nothing that was sent', () => {
  const about = { service: 'segmentation', operation: 'run', error: new Error('asOf: hunter2') };
  const lines = linesAt('info', (logger) => logger.warn('Nexus handler invocation failed', about));
  expect(lines).toEqual([
    expect.stringMatching(/^\S+ Temporal: Nexus handler invocation failed \(segmentation, run\)\n$/),
  ]);
});

test('a task that lacks a key is told with the key, since nothing goes on without it', async () => {
  const payload = {
    metadata: Object.fromEntries(
      [
        ['encoding', ENCODING],
        ['encryption-cipher', 'strata-A256GCM'],
        ['encryption-key-id', '2026-11'],
      ].map(([name, text]) => [name, Buffer.from(text!)]),
    ),
    data: new Uint8Array(40),
  };
  const error = await createPayloadCodec([])
    .decode([payload])
    .catch((fault: unknown) => fault);
  const lines = linesAt('info', (logger) => {
    logger.error('Failed to process Workflow Activation', { workflowId: 'segment/shop/latest', error });
  });
  expect(lines).toEqual([
    expect.stringMatching(
      /Activation \(segment\/shop\/latest\): a payload needs the key 2026-11 .*STRATA_CODEC_KEYS.* \(CODEC_KEY_MISSING\)\n$/,
    ),
  ]);
});
