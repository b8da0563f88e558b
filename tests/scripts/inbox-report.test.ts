import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { InboxView } from '../../pipelines/contracts/inbox.ts';
import { inboxSettings } from '../../pipelines/contracts/inbox-settings.ts';
import { inboxReport } from '../../scripts/inbox-report.ts';

const EMPTY: InboxView = {
  ...{ pipeline: 'shop', settings: null, blocked: null, unsorted: 0, waiting: [], running: null },
  ...{ last: [], refused: [], counts: { taken: 0, repeated: 0, refused: 0, runs: 0 } },
};
const report = (view: Partial<InboxView>) =>
  stripVTControlCharacters(inboxReport({ ...EMPTY, ...view }, 'http://ui/inbox-shop'));
const run = { asOf: '2026-07-01', kind: 'assign' as const, extract: null, missing: [] };

describe('what strata inbox draws', () => {
  test('of an empty one, that each message is enough and nothing runs', () => {
    expect(report({})).toBe(
      [
        'shop  each message is enough for a run',
        '0 messages taken, 0 repeated, 0 refused · 0 runs',
        '',
        '○ no run is going on',
        '',
        'inbox  http://ui/inbox-shop',
      ].join('\n'),
    );
  });

  test('what runs, what waits and for what, the last runs with their reasons, and the refusals', () => {
    const text = report({
      settings: inboxSettings.parse({ inputs: ['orders', 'customers'], deadlineMinutes: 120 }),
      counts: { taken: 12, repeated: 1, refused: 1, runs: 3 },
      running: { ...run, number: 3, messages: 2, workflowId: 'w3', startedAt: '2026-07-01T04:05:06.000Z' },
      waiting: [
        {
          ...{ ...run, number: 4, messages: 1, landed: ['orders'], missing: ['customers'] },
          ...{ since: '2026-07-01T04:06:00.000Z', startsAt: '2026-07-01T06:06:00.000Z' },
        },
      ],
      last: [
        {
          ...{ ...run, number: 2, messages: 1, missing: ['customers'], workflowId: 'w2' },
          ...{ startedAt: '2026-07-01T02:00:00.000Z', endedAt: '2026-07-01T02:01:00.000Z' },
          ...{ outcome: 'failed', runId: null, reason: 'a thread ended (KERNEL_FAILED)' },
        },
      ],
      refused: [
        { at: '2026-07-01T03:00:00.000Z', message: 'extractLandet', reason: 'no signal has this name' },
      ],
    });
    for (const line of [
      'shop  a run starts when there is orders, customers, or 120 minutes after the first',
      '▸ run 3: assign as of 2026-07-01, 2 messages, since 2026-07-01 04:05Z  w3',
      '○ run 4: assign as of 2026-07-01, 1 message, has orders, waits for customers, until 2026-07-01 06:06Z at the latest',
      '  · run 2: a thread ended (KERNEL_FAILED)',
      '  · 2026-07-01 03:00Z  extractLandet: no signal has this name',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/ 2 {2}assign {2}2026-07-01 {2}failed +1 {2}customers {2}2026-07-01 02:01Z {2}–/);
  });

  test('why nothing starts', () => {
    expect(report({ blocked: 'definition shop: needs a contract.yaml', unsorted: 3 })).toContain(
      '✗ no run starts, 3 messages kept: definition shop: needs a contract.yaml',
    );
  });
});
