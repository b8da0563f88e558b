import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Finding } from '../../pipelines/contracts/alerts.ts';
import { listReport, showReport } from '../../scripts/alerts-report.ts';
import type { AlertRecord } from '../../store/postgres/alerts.ts';
import type { WaitingMessage } from '../../store/postgres/outbox.ts';

const finding: Finding = {
  ...{
    rule: 'missed-run',
    kind: 'missed-run',
    severity: 'warning',
    owner: 'CRM',
    channels: null,
    worseBy: 0,
  },
  ...{
    subject: 'nightly:2026-06-02T02:30:00.000Z',
    magnitude: 2,
    title: 'nightly has no run for 2 due times',
  },
  details: ['the schedule is paused: paused by Ada', 'mend it: npm run strata -- schedules backfill …'],
  ...{ customers: null, spendCents: null, features: [], pValue: null },
};
const alert: AlertRecord = {
  ...{
    alertId: 'alr_1',
    pipeline: 'shop',
    rule: 'missed-run',
    subject: finding.subject,
    severity: 'warning',
  },
  ...{ owner: 'CRM', state: 'open', title: finding.title, finding, occurrences: 2 },
  ...{ openedInRun: null, lastSeenRun: null, acknowledged: null, resolved: null },
  ...{ openedAt: '2026-06-02T02:45:10.000Z', lastSeenAt: '2026-06-03T02:45:10.000Z' },
};
const waiting: WaitingMessage = {
  ...{ pipeline: 'shop', runId: null, alertId: 'alr_1', event: 'alerts.missed', channel: '0:slack' },
  ...{ attempts: 0, lastError: null, notBefore: null },
};
const plain = (text: string) => stripVTControlCharacters(text).split('\n');

test('an alert about runs that there are not is shown without one', () => {
  expect(plain(showReport(alert, 'EUR'))).toEqual([
    'WARNING nightly has no run for 2 due times',
    'the schedule is paused: paused by Ada',
    'mend it: npm run strata -- schedules backfill …',
    '',
    'alert      alr_1, open',
    'pipeline   shop',
    'rule       missed-run (missed-run)',
    'owner      CRM',
    'opened     2026-06-02 02:45 UTC by the watch over schedules',
    'last seen  2026-06-03 02:45 UTC, of 2 due times in all',
  ]);
});

test('and listed so, as is its message', () => {
  const lines = plain(listReport([alert], [waiting]));
  expect(lines).toContain('          rule missed-run, owner CRM');
  expect(lines).toContain('  shop alr_1 alerts.missed to slack: not tried yet');
});
