import { describe, expect, test } from 'vitest';
import { alertFaults, alertSettings, DEFAULT_ALERTS } from '../../../pipelines/contracts/alert-settings.ts';
import { channel } from '../../../pipelines/contracts/channels.ts';

const features = { aggregate: [{ name: 'orders' }], derive: [{ name: 'spend' }] };
const parse = (alerts: object) => alertSettings.safeParse(alerts);

describe('the section alerts', () => {
  test('left out or empty is the rules that come with Strata', () => {
    expect(parse({}).data).toEqual(DEFAULT_ALERTS);
    expect(new Set(DEFAULT_ALERTS.rules.map(({ kind }) => kind)).size).toBe(11);
    expect(DEFAULT_ALERTS).toMatchObject({ falseAlarmsPerMonth: 1, resolveAfterRuns: 3 });
    expect(DEFAULT_ALERTS.quietHours).toBeUndefined();
  });

  test.each([
    ['a kind that there is not', { rules: [{ name: 'x', kind: 'magic' }] }],
    ['a limit of another rule', { rules: [{ name: 'x', kind: 'verdict', atLeast: 0.1 }] }],
    [
      'two rules of one name',
      {
        rules: [
          { name: 'x', kind: 'flow' },
          { name: 'x', kind: 'verdict' },
        ],
      },
    ],
    ['no budget', { falseAlarmsPerMonth: 0 }],
    ['an hour that there is not', { quietHours: { from: '24:00', to: '08:00' } }],
    ['quiet hours all day', { quietHours: { from: '08:00', to: '08:00' } }],
    ['a limit for missed runs', { rules: [{ name: 'x', kind: 'missed-run', worseBy: 2 }] }],
    ['a severity of its own', { rules: [{ name: 'x', kind: 'flow', severity: 'fatal' }] }],
  ])('with %s is refused', (_, alerts) => {
    expect(parse(alerts).success).toBe(false);
  });

  test('names only channels and features that there are', () => {
    const alerts = alertSettings.parse({
      rules: [
        { name: 'x', kind: 'feature-drift', features: ['spend', 'spent'], channels: ['ops', 'log'] },
        { name: 'y', kind: 'flow', channels: ['slack'] },
      ],
    });
    const notify = [{ kind: 'log' }, { kind: 'webhook', name: 'ops' }, { kind: 'webhook', name: 'ops' }];
    expect(alertFaults({ alerts, notify, features }).map(({ path }) => path.join('.'))).toEqual([
      'notify.2.name',
      'alerts.rules.0.features.1',
      'alerts.rules.1.channels.0',
    ]);
    expect(alertFaults({ notify: [{ kind: 'log' }], features })).toEqual([]);
  });

  test('names only schedules that there are, where these are known', () => {
    const alerts = alertSettings.parse({
      rules: [{ name: 'x', kind: 'missed-run', schedules: ['nightly', 'nihgtly'] }],
    });
    const faults = (schedule?: { name: string }[]) =>
      alertFaults({ alerts, notify: [], features, schedule }).map(({ path, message }) => [
        path.join('.'),
        message,
      ]);
    expect(faults([{ name: 'nightly' }])).toEqual([
      ['alerts.rules.0.schedules.1', 'needs a schedule of this definition (nightly)'],
    ]);
    // A definition is frozen without its schedules.
    expect(faults()).toEqual([]);
  });

  test('names no channel that would tell nobody: one that takes publications alone', () => {
    const rules = [{ name: 'x', kind: 'verdict', severity: 'critical', channels: ['email', 'ops'] }];
    const faults = (...tells: ('publications' | 'alerts')[][]) =>
      alertFaults({
        alerts: alertSettings.parse({ rules }),
        notify: [{ kind: 'webhook', name: 'ops' }, ...tells.map((what) => ({ kind: 'email', tells: what }))],
        features,
      });
    expect(faults(['publications'])).toEqual([
      { path: ['alerts', 'rules', 0, 'channels', 0], message: expect.stringContaining('takes alerts') },
    ]);
    // Of two of a kind one is enough.
    expect(faults(['publications'], ['alerts'])).toEqual([]);
  });
});

describe('a channel for letters', () => {
  const mail = { kind: 'email', smtpFrom: 'SMTP', from: 'strata@example.com', to: ['crm@example.com'] };

  test('is taken', () => {
    expect(channel.safeParse(mail).success).toBe(true);
  });

  test.each([
    ['a password in the definition', { smtpFrom: 'smtp://user:secret@host' }],
    ['a header in an address', { from: 'a@example.com\nBcc: b@example.com' }],
    ['several addresses in one', { to: ['a@example.com, b@example.com'] }],
    ['nobody to write to', { to: [] }],
  ])('with %s is refused', (_, changes) => {
    expect(channel.safeParse({ ...mail, ...changes }).success).toBe(false);
  });
});
