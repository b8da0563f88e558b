import { expect, test } from 'vitest';
import { withinActivity } from '../../../scripts/observe/activity-scope.ts';
import { createJsonLog, LOG_FIELDS } from '../../../scripts/observe/json-log.ts';
import type { LogLevel } from '../../../scripts/set-up/log.mjs';
import { createTemporalLogger } from '../../../scripts/temporal-logger.ts';

const NOON = new Date('2026-11-29T12:00:00.000Z');

function logAt(level: LogLevel) {
  const lines: string[] = [];
  let seconds = 0;
  const log = createJsonLog({
    ...{ level, stream: { write: (text: string) => lines.push(text) } },
    now: () => new Date(NOON.getTime() + 1_000 * seconds++),
  });
  return { log, lines, objects: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a line is one object: time, level, message, and what it is about', () => {
  const { log, lines } = logAt('info');
  log.warn('two\nlines', { stage: 'cluster', run: 'run_1', seconds: 1.5 });
  expect(lines).toEqual([
    '{"time":"2026-11-29T12:00:00.000Z","level":"warn","message":"two\\nlines","run":"run_1","stage":"cluster","seconds":1.5}\n',
  ]);
});

test('a field that nobody has vouched for is not told, nor one without a value', () => {
  const { log, objects } = logAt('info');
  log.info('words', {
    ...{ customer: 'kunde-17', path: '/data/orders.csv', password: 'secret' },
    ...{ rows: null, code: undefined, text: { nested: 'kunde-17' }, seconds: Number.NaN, attempt: 2 },
  });
  expect(objects()).toEqual([{ time: NOON.toISOString(), level: 'info', message: 'words', attempt: 2 }]);
  expect(LOG_FIELDS.filter((field) => /customer|path|password|url|key/i.test(field))).toEqual([]);
});

test('what is below the level is not told', () => {
  const { log, objects } = logAt('warn');
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
  log.step('Worker').done();
  expect(objects().map(({ level }) => level)).toEqual(['warn', 'error']);
});

test('a step is told when it has ended, once, with its time', () => {
  const { log, objects } = logAt('info');
  const [worker, schema, postgres] = ['Worker', 'Schema', 'PostgreSQL'].map((name) => log.step(name));
  worker!.update('half way');
  worker!.done('polling');
  worker!.fail();
  schema!.skip();
  postgres!.fail('no port');
  expect(objects()).toMatchObject([
    { level: 'info', message: 'Worker: polling', seconds: 3 },
    { level: 'error', message: 'PostgreSQL: no port' },
  ]);
});

test('a line that is written within an activity says which run, workflow and stage', async () => {
  const { log, objects } = logAt('info');
  await withinActivity(
    {
      ...{ run: 'run_1', pipeline: 'shop', stage: 'notify', workflow: 'segment/shop/2026-07-01' },
      ...{ activity: 'deliverOutbox', queue: 'strata', attempt: 3 },
    },
    async () => {
      await Promise.resolve();
      log.info('outbox: 2 delivered', { stage: 'its own' });
    },
  );
  log.info('outside');
  expect(objects()).toMatchObject([
    {
      ...{ run: 'run_1', pipeline: 'shop', stage: 'its own', workflow: 'segment/shop/2026-07-01' },
      ...{ activity: 'deliverOutbox', queue: 'strata', attempt: 3 },
    },
    { message: 'outside' },
  ]);
  expect(objects()[1]).not.toHaveProperty('run');
});

test('Temporal’s lines have the same fields, a code only of ours, and none of its payloads', () => {
  const { log, objects } = logAt('debug');
  const logger = createTemporalLogger(log);
  logger.warn('Activity failed\n  at stack', {
    ...{ sdkComponent: 'worker', workflowId: 'segment/shop/latest', workflowRunId: 'f00', attempt: 2 },
    ...{ activityType: 'fitClusters', taskQueue: 'strata-compute', taskToken: 'c2VjcmV0' },
    error: Object.assign(new Error('kunde-17'), { type: 'KERNEL_FAILED' }),
  });
  logger.warn('Poll failed', { sdkComponent: 'core', error: { code: 'ECONNREFUSED' } });
  expect(objects()).toEqual([
    {
      ...{ time: NOON.toISOString(), level: 'warn', component: 'temporal-worker', code: 'KERNEL_FAILED' },
      message: 'Temporal: Activity failed (segment/shop/latest, fitClusters, 2)',
      ...{ workflow: 'segment/shop/latest', workflowRun: 'f00', stage: 'cluster', attempt: 2 },
      ...{ activity: 'fitClusters', queue: 'strata-compute' },
    },
    expect.objectContaining({ level: 'debug', component: 'temporal-core' }),
  ]);
  expect(objects()[1]).not.toHaveProperty('code');
});

test('an attempt that failed is told once where the worker tells of each itself', () => {
  const { log, lines } = logAt('info');
  createTemporalLogger(log, { tellsActivities: false }).warn('Activity failed', {
    activityType: 'fitClusters',
  });
  expect(lines).toEqual([]);
});
