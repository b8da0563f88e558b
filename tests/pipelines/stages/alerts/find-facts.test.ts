import { describe, expect, test } from 'vitest';
import { find, only, rulesOf, segment, usualMonth } from './fixture.ts';

describe('what is, without asking chance', () => {
  test('names that do not hold are told from the share that the rule says', () => {
    const segments = ['a', 'b', 'c', 'd'].map((id, i) =>
      segment(`seg_${id}`, 500, { isQuestionable: i < 2 }),
    );
    const found = find(usualMonth(12, [], { segments }), {
      settings: only({ kind: 'questionable-names', atLeast: 0.5 }),
    });
    expect(found).toMatchObject([
      { title: '2 of 4 names do not hold any more: “Group a”, “Group b”', customers: 1000, magnitude: 0.5 },
    ]);
    expect(
      find(usualMonth(12, [], { segments }), {
        settings: only({ kind: 'questionable-names', atLeast: 0.6 }),
      }),
    ).toEqual([]);
  });

  test('segments that are born, split, merged or retired are told each', () => {
    const segments = [
      segment('seg_a', 900),
      segment('seg_d', 80, { event: 'born' }),
      segment('seg_e', 20, { event: 'split' }),
    ];
    const found = find(usualMonth(12, [], { segments }), {
      settings: only({ kind: 'segment-events', events: ['born', 'retired'] }),
    });
    expect(rulesOf(found)).toEqual(['own born:seg_d', 'own retired:seg_b', 'own retired:seg_c']);
    expect(found[0]!.title).toBe('“Group d” is a new segment: 80 customers');
  });

  test('the money of a segment that merged is told where all its customers came, not where most had been there', () => {
    const moneyOf = (customers: number) => {
      const segments = [segment('seg_c', customers, { event: 'merged' })];
      const [found] = find(usualMonth(12, [['seg_a', 'seg_c', 100, 5_000]], { segments }), {
        settings: only({ kind: 'segment-events' }),
      });
      return [found!.customers, found!.spendCents];
    };
    expect(moneyOf(600)).toEqual([600, null]);
    expect(moneyOf(100)).toEqual([100, 5_000]);
  });

  test('a verdict is told when the rule is about it', () => {
    const unstable = usualMonth(12, [], { verdict: 'unstable' });
    expect(rulesOf(find(unstable))).toEqual(['unstable unstable:run_12']);
    expect(find(unstable)[0]!.severity).toBe('critical');
    expect(find(usualMonth(12, [], { verdict: 'drifted' }))).toEqual([]);
  });

  test('a figure below its limit is told, worse the lower it is', () => {
    const at = (value: number | null) =>
      find(
        usualMonth(12, [], { metrics: [{ metric: 'adjusted-rand', subject: '', value, threshold: 0.3 }] }),
      );
    expect(at(0.5)).toEqual([]);
    expect(at(null)).toEqual([]);
    expect(at(0.4)).toMatchObject([
      { rule: 'low-agreement', title: 'adjusted-rand is 0.40, told below 0.5' },
    ]);
    expect(at(0.2)[0]!.magnitude).toBeGreaterThan(at(0.4)[0]!.magnitude);
  });
});
