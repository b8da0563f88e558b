import { describe, expect, test } from 'vitest';
import { namesOverTime } from '../../../../pipelines/stages/evolution/published.ts';
import { madeEvolution } from './made-evolution.ts';

describe('describeEvolution', () => {
  const report = madeEvolution({ runs: 5, k: 3 });

  test('begins with five sentences: how many, which segments, sizes and figures, why, and how far to trust it', () => {
    expect(report.sentences).toHaveLength(5);
    const [base, segments, sizes, moves, trust] = report.sentences as [
      string,
      string,
      string,
      string,
      string,
    ];
    expect(base).toMatch(
      /^From 1 Jan 2024 to 1 May 2024 the number of customers went from 300 to 340 \(\+13 %\): 56 came, 16 were lost; their spend went from €[\d,]+ to €[\d,]+ \(\+\d+ %\)\.$/,
    );
    expect(segments).toBe('Of 2 segments 2 go on: "Segment 2" split off "Renamed segment".');
    expect(sizes).toMatch(/shrank the most/);
    expect(moves).toMatch(
      /^Customers changed segment \d+ times: \d+ % by their own doing and \d.* since the model is another one; the most moved up to /,
    );
    expect(trust).toBe(
      'Of 4 steps the audit called 3 stable and 1 drifted (the customers changed); 1 of 3 names is questionable: "Segment 1".',
    );
  });

  test('tells the latest step by itself', () => {
    expect(report.latest[0]).toMatch(/^From 1 Apr 2024 to 1 May 2024 .* 14 came, 4 were lost/);
    expect(report.latest.at(-1)).toMatch(
      /of the customers in both are in another segment: .*; most went from "/,
    );
  });

  test('every segment has a state in each publication that has it, and its present name', () => {
    const [first, , born] = report.segments;
    expect(first).toMatchObject({
      segmentId: 'seg_0',
      name: 'Renamed segment',
      isBorn: false,
      isRetired: false,
    });
    expect(first!.states.every((state) => state !== null)).toBe(true);
    expect(first!.names.map(({ author }) => author)).toEqual(['auto', 'manual']);
    expect(born!.states.map((state) => state !== null)).toEqual([false, true, true, true, true]);
    expect(report.lineage).toEqual([{ at: 1, from: 'seg_0', to: 'seg_2', kind: 'split' }]);
    expect(report.steps[0]!.events).toEqual(['"Segment 2" came out of "Renamed segment"']);
    expect(report.steps[1]!.events).toEqual([]);
  });

  test('law: each step takes the sizes of one publication to those of the next', () => {
    const { runs, steps } = madeEvolution({ runs: 12, k: 5 });
    for (const { from, to, flows, totals } of steps) {
      for (const { segmentId, customers, spendCents } of runs[from]!.segments) {
        const leaving = flows.filter((flow) => flow.from === segmentId);
        expect(leaving.reduce((sum, flow) => sum + flow.customers, 0)).toBe(customers);
        expect(leaving.reduce((sum, flow) => sum + flow.centsBefore!, 0)).toBe(spendCents);
      }
      for (const { segmentId, customers, spendCents } of runs[to]!.segments) {
        const arriving = flows.filter((flow) => flow.to === segmentId);
        expect(arriving.reduce((sum, flow) => sum + flow.customers, 0)).toBe(customers);
        expect(arriving.reduce((sum, flow) => sum + flow.centsAfter!, 0)).toBe(spendCents);
      }
      const { causes } = totals;
      expect(causes!.behaviour + causes!.model + causes!.border).toBe(totals.moved);
    }
  });

  test('holds no figure of every feature: those are in the reports of the runs', () => {
    expect(JSON.stringify(report)).not.toContain('profiles');
  });
});

describe('namesOverTime', () => {
  const run = (asOf: string, names: Record<string, string>) => ({
    asOf,
    segments: Object.entries(names).map(([segmentId, name]) => ({ segmentId, name }) as never),
  });

  test('takes the present name, and tells two of one name apart by when the older one went', () => {
    const runs = [
      run('2026-01-01', { seg_a1: 'Loyal', seg_b1: 'New' }),
      run('2026-02-01', { seg_c1: 'Loyal', seg_b1: 'New' }),
    ];
    expect(Object.fromEntries(namesOverTime(runs, new Map([['seg_b1', 'Fresh']])))).toEqual({
      seg_a1: 'Loyal (until 2026-01-01)',
      seg_b1: 'Fresh',
      seg_c1: 'Loyal',
    });
  });

  test('and by their ids where both are there', () => {
    const runs = [
      run('2026-01-01', { seg_aaaa: 'Loyal' }),
      run('2026-02-01', { seg_aaaa: 'Old', seg_bbbb: 'Loyal' }),
    ];
    const present = new Map([['seg_aaaa', 'Loyal']]);
    expect([...namesOverTime(runs, present).values()]).toEqual(['Loyal (aaaa)', 'Loyal (bbbb)']);
  });
});
