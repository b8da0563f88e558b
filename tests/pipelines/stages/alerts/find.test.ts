import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ALERTS } from '../../../../pipelines/contracts/alert-settings.ts';
import type { RunMeasurement } from '../../../../pipelines/contracts/alerts.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';
import { runsPerMonth, significanceOf } from '../../../../pipelines/stages/alerts/significance.ts';
import { measured, segment, settingsOf, usualMonth, usualYear } from './fixture.ts';

const find = (run: RunMeasurement, { past = usualYear(), settings = DEFAULT_ALERTS } = {}) =>
  findAlerts(run, { past, settings, currency: 'GBP' });
const only = (rule: Record<string, unknown>) => settingsOf({ rules: [{ name: 'own', ...rule }] });
const rulesOf = (findings: ReturnType<typeof find>) =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`);

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

describe('share of spend', () => {
  const settings = only({ kind: 'spend-share', atLeast: 0.03 });
  const withShares = (month: number, before: number, now: number) =>
    usualMonth(month, [], {
      segments: [segment('seg_a', 1000, { spendShare: now })],
      previousSegments: [segment('seg_a', 1000, { spendShare: before })],
    });
  const past = usualYear().map((_, month) => withShares(month, 0.2, 0.2 + (month % 2 ? 0.01 : -0.01)));

  test('is told when it changes by more than it does from run to run', () => {
    expect(find(withShares(12, 0.2, 0.26), { past, settings })).toMatchObject([
      {
        subject: 'rose:seg_a',
        title: '“Group a” makes 26 % of the spend, 20 % before',
        magnitude: expect.closeTo(0.06, 9),
      },
    ]);
    expect(find(withShares(12, 0.2, 0.225), { past, settings })).toEqual([]);
  });

  test('is not told before six past runs, nor where there is no spend', () => {
    expect(find(withShares(12, 0.2, 0.26), { past: past.slice(0, 5), settings })).toEqual([]);
    expect(find(usualMonth(12), { settings })).toEqual([]);
  });
});

describe('drift', () => {
  const psi = (metric: string, subject: string, value: number, critical: number) => [
    { metric, subject, value, threshold: 0.25 },
    { metric: `${metric}-significance`, subject, value, threshold: critical },
  ];
  const run = (metrics: RunMeasurement['metrics']) => usualMonth(12, [], { metrics });

  test('of a feature needs both: more than chance, and enough to matter', () => {
    const found = find(
      run([
        ...psi('psi', 'spend', 0.4, 0.02),
        { metric: 'wasserstein', subject: 'spend', value: 0.3, threshold: null },
        ...psi('psi', 'orders', 0.4, 0.39),
        ...psi('psi', 'recencyDays', 0.2, 0.01),
      ]),
    );
    expect(rulesOf(found)).toEqual(['feature-drift spend']);
    expect(found[0]).toMatchObject({
      title: "the customers' spend shifted: PSI 0.40, told from 0.25",
      details: [
        'PSI is beside the customers that the last publication’s model was fitted to',
        'values lie 0.30 standard deviations from those of the last publication',
      ],
      features: ['orders (PSI 0.40)', 'spend (PSI 0.40)', 'recency (PSI 0.20)'],
    });
  });

  test('of the features that the rule names alone', () => {
    const metrics = [...psi('psi', 'spend', 0.4, 0.02), ...psi('psi', 'orders', 0.4, 0.02)];
    expect(
      rulesOf(find(run(metrics), { settings: only({ kind: 'feature-drift', features: ['orders'] }) })),
    ).toEqual(['own orders']);
  });

  test('of the mix of segments', () => {
    expect(rulesOf(find(run(psi('psi-mix', '', 0.15, 0.01))))).toEqual(['mix-drift ']);
    expect(find(run(psi('psi-mix', '', 0.05, 0.01)))).toEqual([]);
  });
});

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

describe('how sure a rule has to be', () => {
  const every = (days: number) =>
    [1, 2, 3].map((i) => ({
      ...usualMonth(i),
      asOf: new Date(Date.UTC(2026, 0, 1 + i * days)).toISOString().slice(0, 10),
      previousAsOf: new Date(Date.UTC(2026, 0, 1 + (i - 1) * days)).toISOString().slice(0, 10),
    }));

  test('follows from the budget and from how often runs come', () => {
    expect(runsPerMonth(every(1))).toBeCloseTo(30.44, 9);
    // Six rules that come with Strata test: 1 / 30.44 / 6.
    expect(significanceOf(settingsOf(), every(1))).toBeCloseTo(1 / 30.44 / 6, 12);
    expect(significanceOf(settingsOf({ falseAlarmsPerMonth: 0.1 }), every(1))).toBeCloseTo(
      0.1 / 30.44 / 6,
      12,
    );
  });

  test('is never laxer than one of a hundred', () => {
    expect(significanceOf(settingsOf({ falseAlarmsPerMonth: 50 }), every(30))).toBe(0.01);
  });

  test('takes runs without dates for monthly', () => {
    expect(runsPerMonth([{ ...usualMonth(1), asOf: null }])).toBe(1);
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
