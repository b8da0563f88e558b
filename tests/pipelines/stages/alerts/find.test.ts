import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ALERTS } from '../../../../pipelines/contracts/alert-settings.ts';
import type { RunMeasurement } from '../../../../pipelines/contracts/alerts.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';
import { find, measured, only, rulesOf, settingsOf, usualMonth, usualYear } from './fixture.ts';

test('a month like the others has nothing to tell', () => {
  expect(find(usualMonth(12))).toEqual([]);
});

test('the first publication is compared with nothing, and nothing is told of it', () => {
  expect(
    find(usualMonth(12, [['seg_a', 'seg_b', 400]], { previousSegments: null, verdict: 'first' })),
  ).toEqual([]);
});

test('an empty list of rules tells nothing, whatever happens', () => {
  expect(find(usualMonth(12, [['seg_a', 'seg_b', 400]]), { settings: settingsOf({ rules: [] }) })).toEqual(
    [],
  );
});

describe('a tenth of a segment that goes to another one', () => {
  const run = usualMonth(12, [['seg_a', 'seg_b', 100, 123_400]]);

  test('is told as what it is: who shrank, by how many, where they went, how much money', () => {
    const findings = find(run);
    expect(rulesOf(findings)).toEqual([
      'segment-size shrank:seg_a',
      'segment-size grew:seg_b',
      'segment-flow seg_b:seg_a',
    ]);
    expect(findings[0]).toMatchObject({
      title: '“Group a” shrank from 40 % to 36 % of the customers: 1,000 then, 900 now',
      details: ['80 came (50 from “Group b”), 180 left (150 to “Group b”)'],
      ...{ customers: 100, severity: 'warning' },
      // Of the 180 who left, 50 to b and 30 lost at 1 a head, the planted 100 at 12.34: at their mean.
      spendCents: Math.round((100 / 180) * (8_000 + 123_400)),
    });
    expect(findings[0]!.features).toEqual(['orders of a']);
    expect(findings[2]!.title).toContain('most to “Group b”: 150 instead of about 50');
    // 10 % of 1000 would have to go elsewhere to be as usual.
    expect(findings[2]!.magnitude).toBeCloseTo(0.1, 1);
  });

  test('is not told before three past runs say what is usual', () => {
    expect(find(run, { past: usualYear().slice(0, 2) })).toEqual([]);
    expect(find(run, { past: usualYear().slice(0, 3) })).not.toEqual([]);
  });

  test('is usual where it happens every month', () => {
    const settings = only({ kind: 'flow' });
    const past = usualYear().map((_, month) => usualMonth(month, [['seg_a', 'seg_b', 100]]));
    expect(find(run, { settings })).toHaveLength(1);
    expect(find(run, { past, settings })).toEqual([]);
  });

  test('needs runs that looked back as far: a day is no measure for a month', () => {
    const daily = usualYear().map((one, i) => ({
      ...one,
      asOf: `2025-01-${10 + i}`,
      previousAsOf: `2025-01-0${9}`,
    }));
    const days = daily.map((one, i) => ({
      ...one,
      previousAsOf: `2025-01-${String(9 + i).padStart(2, '0')}`,
    }));
    expect(find(run, { past: days })).toEqual([]);
  });

  test('is not told of a segment that the rule is not about, nor below its magnitude, nor of few customers', () => {
    const size = { kind: 'size-change' };
    expect(rulesOf(find(run, { settings: only({ ...size, segments: ['seg_b'] }) }))).toEqual([
      'own grew:seg_b',
    ]);
    expect(find(run, { settings: only({ ...size, atLeast: 0.2 }) })).toEqual([]);
    expect(find(run, { settings: only({ ...size, leastCustomers: 101 }) })).toEqual([]);
    expect(find(run, { settings: only({ ...size, significance: 1e-30 }) })).toEqual([]);
  });
});

describe('a segment of one customer', () => {
  const alone = { seg_a: 1000, seg_b: 1000, seg_c: 500, seg_x: 1 };
  const month = (at: number, ways: Parameters<typeof usualMonth>[1]) =>
    measured(at, { sizes: alone, ways: [['seg_a', 'seg_b', 50], ['seg_b', 'seg_a', 50], ...ways!] });
  const year = Array.from({ length: 12 }, (_, at) => month(at, []));

  test.each<[string, Parameters<typeof usualMonth>[1]]>([
    ['who goes to another one', [['seg_x', 'seg_a', 1]]],
    ['who is gone', [['seg_x', null, 1]]],
    ['who is joined by others', [['seg_a', 'seg_x', 19]]],
  ])('%s raises no alert', (_, ways) => {
    expect(find(month(12, ways), { past: year })).toEqual([]);
  });

  test('is told of where a rule asks for so few', () => {
    const few = only({ kind: 'size-change', leastCustomers: 1 });
    const run = month(12, [['seg_a', 'seg_x', 19]]);
    expect(rulesOf(find(run, { past: year, settings: few }))).toEqual(['own grew:seg_x']);
  });

  test('does not hide what happens beside it', () => {
    const run = month(12, [
      ['seg_a', 'seg_b', 100],
      ['seg_x', null, 1],
    ]);
    expect(rulesOf(find(run, { past: year }))).toContain('segment-flow seg_b:seg_a');
  });
});

describe('what is told of ways', () => {
  const settings = only({ kind: 'flow' });
  const titleOf = (run: RunMeasurement, past = usualYear()) =>
    find(run, { past, settings }).map(({ subject, title }) => `${subject} ${title}`);

  test('of customers who are not in this run claims nothing of where they are', () => {
    expect(titleOf(usualMonth(12, [['seg_a', null, 200]]))).toEqual([
      expect.stringMatching(
        /^gone:seg_a 20 % of the customers of “Group a” went other ways than usual, most are not in this run: 230 instead/,
      ),
    ]);
  });

  test('where more stay than usual is that they stay', () => {
    const past = usualYear().map((_, month) => usualMonth(month, [['seg_a', 'seg_b', 200]]));
    expect(titleOf(usualMonth(12), past)).toEqual([
      expect.stringMatching(
        /^stayed:seg_a 20 % more of the customers of “Group a” stayed than usual: 920 instead/,
      ),
    ]);
  });

  test('to another destination is another alert, and so are shrinking after growing and a second new model', () => {
    const subjectsOf = (run: RunMeasurement) => find(run).map(({ rule, subject }) => `${rule} ${subject}`);
    const [toB, toC, back] = [
      usualMonth(12, [['seg_a', 'seg_b', 150]]),
      usualMonth(12, [['seg_a', 'seg_c', 150]]),
      usualMonth(12, [['seg_b', 'seg_a', 150]]),
    ].map(subjectsOf);
    expect(toB).toEqual(expect.arrayContaining(['segment-size grew:seg_b', 'segment-flow seg_b:seg_a']));
    expect(toC).toContain('segment-flow seg_c:seg_a');
    expect(back).toContain('segment-size shrank:seg_b');
    const unstable = [12, 13].flatMap((month) => subjectsOf(usualMonth(month, [], { verdict: 'unstable' })));
    expect(new Set(unstable).size).toBe(2);
  });
});

describe('weather', () => {
  const stormy = Array.from({ length: 12 }, (_, month) =>
    usualMonth(month, [month % 2 === 0 ? ['seg_a', 'seg_b', 70 + month] : ['seg_b', 'seg_a', 70 + month]]),
  );

  test('of a shop whose segments swing every month makes a swing usual', () => {
    const swing = usualMonth(12, [['seg_a', 'seg_b', 75]]);
    const settings = only({ kind: 'size-change' });
    expect(find(swing, { settings })).toHaveLength(2);
    expect(find(swing, { past: stormy, settings })).toEqual([]);
  });
});

describe('customers lost', () => {
  const settings = only({ kind: 'customers-lost', owner: 'CRM', severity: 'critical' });

  test('are told of all and of the segment they left, with what is usual', () => {
    const findings = find(usualMonth(12, [['seg_a', null, 200]]), { settings });
    expect(rulesOf(findings)).toEqual(['own seg_a', 'own ']);
    expect(findings[0]).toMatchObject({
      title: '23 % of the customers of “Group a” are gone, 3 % is usual: 230 instead of about 30',
      ...{ customers: 200, owner: 'CRM', severity: 'critical' },
    });
  });

  test('are told with the money of as many customers as are told', () => {
    const [all] = find(usualMonth(12, [['seg_a', null, 200]]), { settings });
    // Every one of them is worth 1 in this shop.
    expect([all!.customers, all!.spendCents]).toEqual([200, 20_000]);
    const unknown = usualMonth(12, [['seg_a', null, 200]]);
    unknown.movements.at(-1)!.spendCents = null;
    expect(find(unknown, { settings })[0]).toMatchObject({ customers: 200, spendCents: null });
  });

  test('that are fewer than usual are no alarm', () => {
    const past = usualYear().map((_, month) => usualMonth(month, [['seg_a', null, 200]]));
    expect(find(usualMonth(12), { past, settings })).toEqual([]);
  });
});

test('whatever was measured, no rule breaks, and each tells a subject once', () => {
  const count = fc.integer({ min: 0, max: 2000 });
  const id = fc.constantFrom('seg_a', 'seg_b', 'seg_c', 'seg_d');
  const anyRun = fc.record({
    sizes: fc.dictionary(id, count),
    ways: fc.array(
      fc.tuple(fc.option(id), fc.option(id), count).filter(([from, to]) => from !== to),
      { maxLength: 6 },
    ),
    metrics: fc.uniqueArray(
      fc.record({
        metric: fc.constantFrom('psi-significance', 'psi-mix-significance', 'adjusted-rand'),
        subject: fc.constantFrom('', 'orders'),
        value: fc.option(fc.double({ noNaN: true, min: 0, max: 9 })),
        threshold: fc.option(fc.double({ noNaN: true, min: 0, max: 1 })),
      }),
      // A run has each metric of a subject once: the key of the table.
      { maxLength: 4, selector: ({ metric, subject }) => `${metric} ${subject}` },
    ),
  });
  fc.assert(
    fc.property(fc.array(anyRun, { minLength: 1, maxLength: 6 }), (runs) => {
      const all = runs.map(({ sizes, ways, metrics }, month) => ({
        ...measured(month, { sizes, ways: [] }),
        movements: ways.map(([from, to, customers]) => ({
          from,
          to,
          cause: 'border',
          customers,
          spendCents: null,
        })),
        metrics,
      }));
      const found = findAlerts(all.at(-1)!, {
        past: all.slice(0, -1),
        settings: DEFAULT_ALERTS,
        currency: 'EUR',
      });
      const keys = rulesOf(found);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { magnitude, title } of found) {
        expect(magnitude).toBeGreaterThanOrEqual(0);
        expect(title).not.toMatch(/NaN|undefined|null/);
      }
    }),
    { numRuns: 300 },
  );
});
