import { describe, expect, test } from 'vitest';
import { compareRuns, type DiffInput } from '../../../../pipelines/stages/evolution/diff.ts';
import { compareModelByData, type Difference } from '../../../../pipelines/stages/evolution/model-by-data.ts';
import { AFTER, BEFORE, diffOf } from './made-diff.ts';
import { madeRun, SHOP } from './made-evolution.ts';

describe('compareRuns', () => {
  const report = compareRuns(diffOf());

  test('says in five sentences what changed and why', () => {
    expect(report.sentences).toHaveLength(5);
    expect(report.sentences[0]).toMatch(
      /^From 1 Jan 2024 to 1 Feb 2024 the number of customers went from 300 to 320 \(\+6.7 %\): 30 came, 10 were lost; /,
    );
    expect(report.sentences[1]).toBe('All 3 segments go on; none came, split, merged or went.');
    expect(report.sentences[3]).toMatch(
      /^\d+ % of the 290 customers in both are in another segment: .*; most went from "Segment /,
    );
    expect(report.sentences[4]).toBe(
      'The segments mean what they meant, the customers changed (on the same figures both models agree at 1.00 of 1); 1 of 3 names is questionable: "Segment 1".',
    );
    expect(report.doubts).toEqual([]);
  });

  test('the matrix holds everybody, in customers and cents, with intervals around each share', () => {
    const { matrix, before, after } = report;
    expect(matrix.map(({ from }) => from)).toEqual(['seg_0', 'seg_1', 'seg_2', null]);
    for (const { from, customers, cells } of matrix) {
      expect(cells.reduce((sum, cell) => sum + cell.customers, 0)).toBe(customers);
      if (from !== null)
        expect(customers).toBe(before.segments.find(({ segmentId }) => segmentId === from)!.customers);
      for (const { share, low, high, moneyShare, customers: count } of cells) {
        if (count === 0) continue;
        expect(low).toBeLessThan(share);
        expect(high).toBeGreaterThan(share);
        expect(moneyShare!.low).toBeLessThanOrEqual(moneyShare!.share);
        expect(moneyShare!.high).toBeGreaterThanOrEqual(moneyShare!.share);
      }
    }
    for (const { segmentId, customers, spendCents } of after.segments) {
      const column = matrix.flatMap(({ cells }) => cells.filter(({ to }) => to === segmentId));
      expect(column.reduce((sum, cell) => sum + cell.customers, 0)).toBe(customers);
      expect(column.reduce((sum, cell) => sum + cell.cents!, 0)).toBe(spendCents);
    }
    const lost = matrix.flatMap(({ cells }) => cells.filter(({ to }) => to === null));
    expect(lost.reduce((sum, cell) => sum + cell.cents!, 0)).toBe(report.totals.lost.cents);
  });

  test('a run beside itself has nothing to tell', () => {
    const { sentences, totals, features, modelByData } = compareRuns(diffOf(BEFORE, BEFORE));
    expect(totals).toMatchObject({ common: 300, stayed: 300, moved: 0, growthCents: 0 });
    expect(sentences[0]).toContain('stayed at 300: none came, none was lost');
    expect(sentences[3]).toBe('None of the 300 customers in both is in another segment.');
    expect(features).toEqual([]);
    expect(modelByData!.both).toEqual({ customers: 0, share: 0, adjustedRand: 1 });
  });

  test('a split is told with its parent', () => {
    const { segments, sentences } = compareRuns(
      diffOf(madeRun(0, { k: 2, size: 300 }), AFTER, {
        edges: [{ at: 1, from: 'seg_0', to: 'seg_2', kind: 'split' }],
      }),
    );
    expect(sentences[1]).toBe('Of 2 segments 2 go on: "Segment 2" split off "Segment 0".');
    expect(segments.find(({ segmentId }) => segmentId === 'seg_2')).toMatchObject({
      became: 'split',
      from: ['seg_0'],
      before: null,
    });
  });
});

describe('what makes a comparison doubtful', () => {
  const doubtsOf = (changes: Partial<DiffInput>, after = AFTER, before = BEFORE) =>
    compareRuns(diffOf(before, after, changes)).doubts.join('; ');
  const { stability } = diffOf();
  const movements = stability.movements!;

  test('another definition comes first', () => {
    const definitions = {
      before: SHOP,
      after: { ...SHOP, clustering: { ...SHOP.clustering, k: { min: 2, max: 4 } } },
    };
    expect(doubtsOf({ definitions })).toBe('2 to 4 segments may be chosen, before 3 to 8');
  });

  test('few customers in common, and none', () => {
    expect(doubtsOf({}, madeRun(1, { k: 3, size: 320, first: 250 }))).toMatch(
      /only 50 customers are in both, 17 % of the smaller run/,
    );
    const strangers = compareRuns(diffOf(BEFORE, madeRun(1, { k: 3, size: 20, first: 1000 })));
    expect(strangers.doubts).toContain(
      'no customer is in both: nobody can be followed from one to the other',
    );
    expect(strangers.sentences[3]).toBe('No customer is in both, so nobody can have moved.');
    expect(strangers.modelByData).toBeNull();
  });

  test('a model that cannot read the new figures', () => {
    const blind = { ...stability, movements: { ...movements, behaviour: null, model: null } };
    expect(doubtsOf({ stability: blind })).toBe(
      'the old model cannot read the new figures: whose doing a move is cannot be told',
    );
  });

  test('models that draw other borders, segments that are constructed, a border that was not measured', () => {
    const report = compareRuns(
      diffOf(
        BEFORE,
        { ...AFTER, run: { ...AFTER.run, quality: 'constructed' } },
        {
          stability: {
            ...stability,
            verdict: 'unstable',
            movements: { ...movements, noiseBands: { last: null, new: 0.1 } },
          },
        },
      ),
    );
    expect(report.doubts.map((doubt) => doubt.split(':')[0])).toEqual([
      'the two models draw other borders on the same figures',
      'the segments of 1 Feb 2024 are constructed',
      'how far a border moves by chance was not measured of both models',
    ]);
    expect(report.sentences[4]).toMatch(
      /^The model changed what segments mean .*; read it with the care said above\.$/,
    );
  });

  test('one date on both sides, and a lineage that is not known', () => {
    const same = { ...AFTER, run: { ...AFTER.run, asOf: BEFORE.run.asOf } };
    expect(doubtsOf({ lineageGap: 'artifacts are gone' }, same)).toBe(
      'both runs are as of 1 Jan 2024: no time lies between them; artifacts are gone',
    );
  });
});

describe('compareModelByData', () => {
  const join = { previousRow: Int32Array.of(0, 1, -1, 2), lost: Int32Array.of(), common: 3 };
  const input = {
    ...{ join, previousIds: ['a', 'b'], currentIds: ['b', 'c'] },
    previousLabels: [0, 1, 1],
    labels: [0, 0, 0, 1],
    relabelled: [1, 1, 0, 1],
    backLabelled: [1, 0, 1],
  };

  test('compares four ways to put the common customers into segments, by the ids of segments', () => {
    // Old on old: a b b; old on new: b b b; new on old: c b c; new on new: b b c.
    const found = compareModelByData(input)!;
    const elsewhere = (difference: Difference | null) => difference!.customers;
    expect(found.common).toBe(3);
    expect(elsewhere(found.sameModelNewData)).toBe(1);
    expect(elsewhere(found.newModelSameData)).toBe(1);
    expect(elsewhere(found.newModelOldData)).toBe(2);
    expect(elsewhere(found.newModelNewData)).toBe(1);
    expect(elsewhere(found.both)).toBe(2);
    expect(
      found.cells.map(({ sizes }) =>
        sizes!.map(({ segmentId, customers }) => `${segmentId}${customers}`).join(' '),
      ),
    ).toEqual(['a1 b2', 'b3', 'b1 c2', 'b2 c1']);
  });

  test('a model that cannot read the figures leaves its cells empty', () => {
    const found = compareModelByData({ ...input, relabelled: null, backLabelled: null })!;
    expect(found.cells.map(({ sizes }) => sizes === null)).toEqual([false, true, true, false]);
    expect([
      found.sameModelNewData,
      found.newModelSameData,
      found.newModelOldData,
      found.newModelNewData,
    ]).toEqual([null, null, null, null]);
    expect(found.both.customers).toBe(2);
  });
});
