import { describe, expect, test } from 'vitest';
import type { OpenAlert } from '../../../../pipelines/contracts/alerts.ts';
import type { Channel } from '../../../../pipelines/contracts/channels.ts';
import { decideAlerts, heldFindings } from '../../../../pipelines/stages/alerts/decide.ts';
import type { AlertDigest } from '../../../../pipelines/stages/alerts/digest.ts';
import { finding, settingsOf } from './fixture.ts';

const NOON = '2026-07-15T10:00:00Z';
const NIGHT = '2026-07-15T22:30:00Z';
const WEBHOOK: Channel = { kind: 'webhook', urlFrom: 'OPS' };

function decide(
  findings = [finding()],
  {
    open = [] as OpenAlert[],
    wasHeld = false,
    moment = 'published' as 'published' | 'held',
    notify = [WEBHOOK] as Channel[],
    settings = settingsOf(),
    now = NOON,
  } = {},
) {
  return decideAlerts(
    findings,
    { open, wasHeld },
    {
      ...{ run: { runId: 'run_7', pipeline: 'shop', asOf: '2026-07-14' }, moment, settings, notify, now },
      ...{ currency: 'EUR', timezone: 'Europe/Berlin', idOf: (rule, subject) => `alr_${rule}_${subject}` },
    },
  );
}

const open = (changes: Partial<OpenAlert> = {}): OpenAlert => ({
  ...{
    alertId: 'alr_1',
    rule: 'segment-size',
    subject: 'seg_a',
    state: 'open',
    toldMagnitude: 0.1,
    silentRuns: 0,
  },
  ...changes,
});
const alertsOf = (message: { payload: unknown }) => (message.payload as AlertDigest).alerts;

describe('a finding', () => {
  test('that is new opens an alert and is told', () => {
    const { opened, messages } = decide();
    expect(opened).toMatchObject([{ alertId: 'alr_segment-size_seg_a' }]);
    expect(messages).toMatchObject([
      { event: 'alerts.published', channel: '0:webhook', settings: WEBHOOK, notBefore: null },
    ]);
    expect(alertsOf(messages[0]!)).toMatchObject([
      { title: 'it shrank', gotWorse: false, lookAt: 'npm run strata -- alerts show alr_segment-size_seg_a' },
    ]);
  });

  test('that is open already is counted and not told again', () => {
    const { opened, repeated, messages } = decide([finding({ magnitude: 0.15 })], { open: [open()] });
    expect({ opened, messages }).toEqual({ opened: [], messages: [] });
    expect(repeated).toMatchObject([{ alertId: 'alr_1', isTold: false }]);
  });

  test('that got worse by the stated step is told again, acknowledged or not', () => {
    const worse = decide([finding({ magnitude: 0.151 })], { open: [open({ state: 'acknowledged' })] });
    expect(worse.repeated).toMatchObject([{ alertId: 'alr_1', isTold: true }]);
    expect(alertsOf(worse.messages[0]!)).toMatchObject([{ alertId: 'alr_1', gotWorse: true }]);
    expect(decide([finding({ magnitude: 0.151, worseBy: 1 })], { open: [open()] }).messages).toEqual([]);
  });

  test('of another segment is another alert', () => {
    expect(decide([finding(), finding({ subject: 'seg_b' })], { open: [open()] }).opened).toHaveLength(1);
  });

  test('found twice by one rule opens one alert', () => {
    expect(decide([finding(), finding({ magnitude: 9 })]).opened).toHaveLength(1);
  });
});

describe('an open alert that does not speak', () => {
  test('is silent, and over after so many publications', () => {
    expect(decide([], { open: [open({ silentRuns: 1 })] })).toMatchObject({
      silent: ['alr_1'],
      resolved: [],
    });
    expect(decide([], { open: [open({ silentRuns: 2 })] })).toMatchObject({
      silent: [],
      resolved: ['alr_1'],
    });
  });

  test('stays as it is while a run is only held', () => {
    expect(decide([], { open: [open({ silentRuns: 9 })], moment: 'held' })).toMatchObject({
      silent: [],
      resolved: [],
    });
  });

  test('because its run waited for a person is over with the publication', () => {
    expect(
      decide([], { open: [open({ rule: 'unstable', subject: 'run_7' })], wasHeld: true }).resolved,
    ).toEqual(['alr_1']);
  });
});

test('who let a held run through is not told of its verdict again', () => {
  const verdict = finding({ rule: 'unstable', kind: 'verdict', subject: '' });
  expect(decide([verdict], { wasHeld: true }).opened).toEqual([]);
  expect(decide([verdict]).opened).toHaveLength(1);
});

test('an alert of the verdict that is open goes on with a run that was held, and is not told again', () => {
  const verdict = finding({ rule: 'unstable', kind: 'verdict', subject: '', magnitude: 1 });
  const standing = open({ rule: 'unstable', subject: '', silentRuns: 2 });
  const { repeated, opened, silent, resolved, messages } = decide([verdict], {
    wasHeld: true,
    open: [standing],
  });
  expect(repeated).toMatchObject([{ alertId: 'alr_1', isTold: false }]);
  expect({ opened, silent, resolved, messages }).toEqual({
    ...{ opened: [], silent: [], resolved: [], messages: [] },
  });
});

test('a held run tells that it waits, why, and what its publication would tell; each held run anew', () => {
  const held = heldFindings(
    { runId: 'run_7' },
    {
      ...{ reasons: ['the model changed', 'agreement is 0.2'], findings: [finding()] },
      ...{ settings: settingsOf(), isAside: false },
    },
  );
  expect(held).toMatchObject([
    {
      ...{
        rule: 'unstable',
        severity: 'critical',
        subject: 'run_7',
        title: 'the run waits for a person: the model changed',
      },
      details: [
        'agreement is 0.2',
        'once published, it would be told that it shrank',
        'decide: npm run strata -- review run_7 publish, or reject',
      ],
    },
  ]);
  expect(
    decide(held, { moment: 'held', open: [open({ rule: 'unstable', subject: 'run_6' })] }).messages,
  ).toHaveLength(1);
  expect(
    heldFindings(
      { runId: 'x' },
      { reasons: [], findings: [], settings: settingsOf({ rules: [] }), isAside: false },
    ),
  ).toEqual([]);
});

test('of a held run that is kept aside nothing is said to be told later', () => {
  const [held] = heldFindings(
    { runId: 'run_7' },
    { reasons: [], findings: [finding()], settings: settingsOf(), isAside: true },
  );
  expect(held!.details).toEqual(['decide: npm run strata -- review run_7 publish, or reject']);
});

describe('channels', () => {
  const notify: Channel[] = [
    { kind: 'log' },
    { ...WEBHOOK, name: 'ops' },
    { kind: 'slack', urlFrom: 'CHAT', tells: ['alerts'] },
    { kind: 'webhook', urlFrom: 'CRM', tells: ['publications'] },
  ];

  test('one message for each that takes alerts, the worst alert first', () => {
    const findings = [
      finding({ rule: 'x', severity: 'info' }),
      finding({ severity: 'critical' }),
      finding({ rule: 'y' }),
    ];
    const { messages } = decide(findings, { notify });
    expect(messages.map(({ channel }) => channel)).toEqual(['0:log', '1:webhook', '2:slack']);
    expect(alertsOf(messages[0]!).map(({ severity }) => severity)).toEqual(['critical', 'warning', 'info']);
  });

  test.each([
    [['ops'], ['1:webhook']],
    [['webhook'], ['1:webhook']],
    [
      ['slack', 'log'],
      ['0:log', '2:slack'],
    ],
  ])('of a rule for %j are %j', (channels, expected) => {
    expect(decide([finding({ channels })], { notify }).messages.map(({ channel }) => channel)).toEqual(
      expected,
    );
  });
});

describe('in quiet hours', () => {
  const quiet = (criticalBreaksThrough: boolean) =>
    settingsOf({ quietHours: { from: '20:00', to: '08:00', criticalBreaksThrough } });
  const findings = [finding(), finding({ rule: 'x', severity: 'critical' })];

  test('messages wait for the morning of the shop, alerts are recorded all the same', () => {
    const { opened, messages } = decide(findings, { settings: quiet(false), now: NIGHT });
    expect(opened).toHaveLength(2);
    // 08:00 in Berlin, in summer.
    expect(messages).toMatchObject([{ event: 'alerts.published', notBefore: '2026-07-16T06:00:00.000Z' }]);
  });

  test('critical ones break through when it is said, in a message of their own', () => {
    const { messages } = decide(findings, { settings: quiet(true), now: NIGHT });
    expect(
      messages.map(({ event, notBefore, payload }) => [event, notBefore, alertsOf({ payload }).length]),
    ).toEqual([
      ['alerts.published.critical', null, 1],
      ['alerts.published', '2026-07-16T06:00:00.000Z', 1],
    ]);
  });

  test('a line in the log wakes nobody', () => {
    expect(
      decide(findings, { settings: quiet(false), now: NIGHT, notify: [{ kind: 'log' }] }).messages,
    ).toMatchObject([{ notBefore: null }]);
  });
});
