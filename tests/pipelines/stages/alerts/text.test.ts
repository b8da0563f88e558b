import { describe, expect, test } from 'vitest';
import { heldFindings } from '../../../../pipelines/stages/alerts/decide.ts';
import { type AlertDigest, digestMessages, endedDigest } from '../../../../pipelines/stages/alerts/digest.ts';
import { letterOf, slackBody } from '../../../../pipelines/stages/alerts/text.ts';
import { finding, settingsOf } from './fixture.ts';

const told = {
  ...{ alertId: 'alr_1', rule: 'segment-size', severity: 'warning' as const, owner: 'CRM', subject: 'seg_a' },
  ...{ title: '“Loyal” shrank', details: ['80 came, 180 left'], customers: 100, spendCents: 123_400 },
  ...{ features: ['orders (PSI 0.12)'], gotWorse: false, lookAt: 'npm run strata -- alerts show alr_1' },
};
const digest: AlertDigest = {
  ...{
    event: 'alerts',
    pipeline: 'shop',
    runId: 'run_7',
    asOf: '2026-06-30',
    moment: 'published',
    currency: 'GBP',
  },
  alerts: [told],
};

test('a letter says what moved, how many, how much money, what is behind it and what to look at', () => {
  expect(letterOf(digest)).toEqual({
    subject: 'shop: warning: “Loyal” shrank',
    text: [
      'Run run_7 of shop as of 2026-06-30 is published.',
      'what changed: npm run strata -- diff --pipeline shop',
      '',
      'WARNING “Loyal” shrank',
      '80 came, 180 left',
      'about 100 customers, £1,234',
      'behind it: orders (PSI 0.12)',
      'rule segment-size, owner CRM',
      'look at: npm run strata -- alerts show alr_1',
    ].join('\n'),
  });
});

test('of several alerts the subject counts, and a held run is said to be held', () => {
  const { subject, text } = letterOf({
    ...digest,
    moment: 'held',
    alerts: [{ ...told, severity: 'critical' }, told],
  });
  expect(subject).toBe('shop: 2 alerts, 1 critical');
  expect(text).toContain('is held. Readers see what they saw before.');
  expect(text).not.toContain('strata -- diff');
});

describe('a run that was held and has ended before that is told', () => {
  const run = { runId: 'run_7', pipeline: 'shop', asOf: '2026-06-30' };
  const findings = heldFindings(run, {
    ...{ reasons: ['the model changed', 'k is 5 and was 4'], isAside: false, settings: settingsOf() },
    findings: [finding()],
  });
  const [held] = digestMessages(
    findings.map((one) => ({ alertId: 'alr_1', finding: one, gotWorse: false })),
    {
      ...{ run, moment: 'held', currency: 'GBP', notify: [{ kind: 'log' }], quietUntil: null },
      criticalBreaksThrough: false,
    },
  ).map(({ payload }) => payload as AlertDigest);

  test.each(['rejected', 'published', 'cancelled'] as const)(
    'as %s is said to have been held, and asks for nothing',
    (outcome) => {
      expect(letterOf(held).text).toMatch(/waits for a person.*once published.*decide: /s);
      const { subject, text } = letterOf(endedDigest(held!, outcome));
      expect(subject).toBe(
        `shop: critical: the run waited for a person: the model changed; it is ${outcome} by now`,
      );
      expect(text).toContain(`was held, and is ${outcome} by now. There is nothing left to decide.`);
      expect(text).toContain('k is 5 and was 4');
      expect(text).not.toMatch(/is held|waits|decide:|once published/);
    },
  );
});

test('a name with a line break does not end the subject', () => {
  expect(
    letterOf({ ...digest, alerts: [{ ...told, title: 'a\r\nBcc: x@example.com' }] }).subject,
  ).not.toMatch(/[\r\n]/);
});

test('a publication has a letter, too; what is not known has one at least', () => {
  const published = {
    ...{ event: 'run.published', pipeline: 'shop', runId: 'run_7', asOf: null, customers: 20, retired: [] },
    segments: [
      { segmentId: 'seg_a', name: 'Loyal', customers: 20, share: 1, spendShare: null, event: 'born' },
    ],
  };
  expect(letterOf(published)).toEqual({
    subject: 'shop: published, 20 customers in 1 segment',
    text: 'Run run_7 of shop is published.\n\nLoyal: 20 customers, 100 %',
  });
  expect(letterOf({ event: 'x', pipeline: 'shop' }).subject).toBe('shop x');
  expect(letterOf(null).subject).not.toBe('');
});

describe('a chat', () => {
  test('gets text, and a block for each alert', () => {
    const body = slackBody(digest);
    expect(body.text).toBe('shop: warning: “Loyal” shrank');
    expect(body.blocks).toHaveLength(2);
    expect(body.blocks[1]).toMatchObject({ type: 'section', text: { type: 'mrkdwn' } });
  });

  test('is called by no name of a segment', () => {
    const { text, blocks } = slackBody({ ...digest, alerts: [{ ...told, title: '<!channel> & co' }] });
    expect(text + JSON.stringify(blocks)).not.toContain('<!');
    expect(text).toContain('&lt;!channel&gt; &amp; co');
  });

  test('gets no more blocks and no longer ones than it takes', () => {
    const many = {
      ...digest,
      alerts: Array.from({ length: 200 }, () => ({ ...told, title: 'x'.repeat(5_000) })),
    };
    const { blocks } = slackBody(many) as { blocks: { text: { text: string } }[] };
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const { text } of blocks) expect(text.text.length).toBeLessThanOrEqual(3_000);
    expect(blocks.at(-1)!.text.text).toContain('more: npm run strata -- alerts list');
  });
});
