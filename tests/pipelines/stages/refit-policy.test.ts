import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refitSettings } from '../../../pipelines/contracts/refit-settings.ts';
import { decideRefit, type RefitFacts } from '../../../pipelines/stages/refit-policy.ts';

const NONE: RefitFacts['refits'] = { open: null, ofDate: null, turnedDown: null };

const factsWith = (
  change: Partial<Omit<RefitFacts, 'settings'>> & { settings?: Partial<RefitFacts['settings']> } = {},
): RefitFacts => {
  const { settings, ...facts } = change;
  return {
    asOf: '2026-07-01',
    fittedAsOf: '2026-06-01',
    verdict: 'stable',
    novelShare: 0.001,
    refits: NONE,
    ...facts,
    settings: { ...refitSettings.parse(undefined), ...settings },
  };
};

describe('a refit is due', () => {
  test('never for a young model that fits: what was looked at is told', () => {
    expect(decideRefit(factsWith())).toEqual({
      due: false,
      start: false,
      reasons: [
        'the model is 30 days old, fitted as of 2026-06-01 (at most 90)',
        'the verdict is stable',
        '0.1 % of the customers are unlike any segment (at most 2 %)',
      ],
    });
  });

  test.each([
    ['2026-08-30', false],
    ['2026-08-31', true],
  ])('for its age from the day after the last one allowed: %s %s', (asOf, due) => {
    expect(decideRefit(factsWith({ asOf })).due).toBe(due);
  });

  test.each([
    ['first', false],
    ['stable', false],
    ['drifted', true],
    ['unstable', true],
  ] as const)('for the verdict %s: %s', (verdict, due) => {
    const decision = decideRefit(factsWith({ verdict }));
    expect(decision.due).toBe(due);
    if (due) expect(decision.reasons).toEqual([`the verdict is ${verdict}`]);
  });

  test('for customers unlike any segment above the share, not at it', () => {
    expect(decideRefit(factsWith({ novelShare: 0.02 })).due).toBe(false);
    const { due, reasons } = decideRefit(factsWith({ novelShare: 0.031 }));
    expect({ due, reasons }).toEqual({
      due: true,
      reasons: ['3.1 % of the customers are unlike any segment (at most 2 %)'],
    });
  });

  test('for nothing that is switched off or not known', () => {
    const settings = { maximumAgeDays: null, onDrift: false, maximumNovelShare: 1 };
    const all = { asOf: '2036-01-01', verdict: 'unstable', novelShare: 1 } as const;
    expect(decideRefit(factsWith({ ...all, settings })).due).toBe(false);
    expect(decideRefit(factsWith({ novelShare: null, settings: { maximumNovelShare: 0 } })).due).toBe(false);
  });
});

describe('a refit that is due is started', () => {
  const old = { asOf: '2026-12-01', settings: { start: true } };

  test('where the definition says so, and is else only told', () => {
    expect(decideRefit(factsWith(old)).start).toBe(true);
    expect(decideRefit(factsWith({ asOf: old.asOf }))).toMatchObject({ due: true, start: false });
  });

  test('not beside one that is open', () => {
    const decision = decideRefit(factsWith({ ...old, refits: { ...NONE, open: { runId: 'run_2' } } }));
    expect(decision).toMatchObject({ due: true, start: false });
    expect(decision.reasons.at(-1)).toBe('refit run_2 is open already: no other is started');
  });

  test.each(['published', 'rejected'] as const)('not beside one of the same date that is %s', (outcome) => {
    const refits = { ...NONE, ofDate: { runId: 'run_2', outcome } };
    const decision = decideRefit(factsWith({ ...old, refits }));
    expect(decision).toMatchObject({ due: true, start: false });
    expect(decision.reasons.at(-1)).toBe(
      `refit run_2 as of 2026-12-01 is ${outcome} already: no other of that date is started`,
    );
  });

  test.each([
    ['rejected', '2026-11-25', false],
    ['rejected', '2026-11-24', true],
    ['cancelled', '2026-11-30', false],
  ] as const)('after one that a person had %s as of %s: %s', (outcome, asOf, start) => {
    const refits = { ...NONE, turnedDown: { runId: 'run_2', asOf, outcome } };
    expect(decideRefit(factsWith({ ...old, refits })).start).toBe(start);
  });
});

test('an older model, more drift or more novelty never takes a refit back, and there is always a reason', () => {
  const verdicts = ['stable', 'drifted'] as const;
  const facts = fc.record({
    days: fc.integer({ min: 0, max: 400 }),
    verdict: fc.constantFrom(...verdicts),
    novelShare: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const dayAfter = (days: number) =>
    new Date(Date.UTC(2026, 0, 1) + days * 86_400_000).toISOString().slice(0, 10);
  fc.assert(
    fc.property(facts, facts, (one, other) => {
      const worse = {
        days: Math.max(one.days, other.days),
        verdict: [one, other].some(({ verdict }) => verdict === 'drifted') ? verdicts[1] : verdicts[0],
        novelShare: Math.max(one.novelShare, other.novelShare),
      };
      const decide = ({ days, ...found }: typeof one) =>
        decideRefit(factsWith({ ...found, fittedAsOf: '2026-01-01', asOf: dayAfter(days) }));
      expect(decide(worse).due || !decide(one).due).toBe(true);
      expect(decide(one).reasons.length).toBeGreaterThan(0);
    }),
  );
});
