import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NamingSettings } from '../../../pipelines/contracts/definition.ts';
import type { PreviousName } from '../../../pipelines/stages/name.ts';
import { figures, name, naming, shop } from './name-fixture.ts';

describe('names in force', () => {
  const inForce = () =>
    Object.fromEntries<PreviousName>(
      name(shop).map(({ segmentId, name, author, condition }) => [segmentId, { name, author, condition }]),
    );

  test('stay while their condition holds', () => {
    const moved = shop.map((segment) => ({ ...segment, spend: segment.spend * 1.01 }));
    const names = name(moved, inForce());
    expect(names.map((segment) => segment.name)).toEqual(name(shop).map((segment) => segment.name));
    expect(names.map(({ status }) => status)).toEqual(['holds', 'holds', 'holds', 'holds']);
  });

  test('stay when it fails too, shown as questionable with a proposal', () => {
    const cooled = [{ ...shop[0]!, recencyDays: 60 }, ...shop.slice(1)];
    const [segment] = name(cooled, inForce());
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'questionable',
      proposal: { name: 'Cooling high-value frequent buyers' },
      reason: 'keeps its name, though its figures no longer back "Active"',
    });
    expect(segment!.evidence[0]!.findings[0]!.value).toBeCloseTo(60, 9);
  });

  test('a new segment yields to a name that is kept', () => {
    const kept = { seg_3: { ...inForce().seg_0!, author: 'manual' as const, condition: { words: [] } } };
    const names = name(shop, kept);
    expect(names[3]).toMatchObject({
      name: 'Active high-value frequent buyers',
      author: 'manual',
      status: 'holds',
    });
    expect(names[0]!.name).not.toBe('Active high-value frequent buyers');
    expect(new Set(names.map((segment) => segment.name)).size).toBe(4);
  });

  test('of two segments with one name, the one that had retired gets its id behind it', () => {
    const names = inForce();
    // It retired, its name was free, and a person gave it to another one; now an older run has both.
    names.seg_1 = { ...names.seg_1!, isInForce: false };
    names.seg_3 = { name: names.seg_1.name.toUpperCase(), author: 'manual', condition: { words: [] } };
    const named = name(shop, names);
    expect(named[3]).toMatchObject({ name: 'ACTIVE LOW-VALUE WEEKEND BUYERS', status: 'holds' });
    expect(named[1]).toMatchObject({
      ...{ name: 'Active low-value weekend buyers (seg_1)', author: 'auto', status: 'holds', proposal: null },
      condition: names.seg_1.condition,
      reason: 'keeps its name with its id behind it, since another segment is called so by now',
    });
    expect([named[0]!.name, named[2]!.name]).toEqual([names.seg_0!.name, names.seg_2!.name]);
  });

  test('no two names are the same, whatever the names of before were', () => {
    const word = fc.constantFrom('Beta', 'beta', 'Active high-value frequent buyers', 'Beta (seg_1)');
    const names = fc.dictionary(
      fc.constantFrom('seg_0', 'seg_1', 'seg_2', 'seg_3'),
      fc.record({ name: word, isInForce: fc.boolean() }),
    );
    fc.assert(
      fc.property(names, (previous) => {
        const kept = Object.entries(previous).map(([id, one]): [string, PreviousName] => [
          id,
          { ...one, author: 'manual', condition: { words: [] } },
        ]);
        const named = name(shop, Object.fromEntries(kept));
        expect(new Set(named.map((segment) => segment.name.toLowerCase())).size).toBe(4);
      }),
      { numRuns: 40 },
    );
  });

  test('a proposal takes no name that another segment has', () => {
    // The first now looks like the second, which keeps its own name.
    const alike = [{ ...shop[1]!, spend: 310 }, ...shop.slice(1)];
    const [first, second] = name(alike, inForce());
    expect(first!.status).toBe('questionable');
    expect(first!.proposal!.name).not.toBe(second!.name);
  });

  test('a name that the figures earn under new bounds holds, and is checked by those', () => {
    const wider: NamingSettings = {
      ...naming,
      stage: {
        feature: 'recencyDays',
        bands: [{ word: 'Active', below: 70 }, ...naming.stage.bands.slice(2)],
      },
    };
    const cooled = [{ ...shop[0]!, recencyDays: 60 }, ...shop.slice(1)];
    const [segment] = name(cooled, inForce(), wider);
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'holds',
      proposal: null,
    });
    expect(segment!.condition.words[0]!.bounds[0]!.below).toBe(70);
  });

  test('a version of bands that gives the same word is told, and is what the name rests on from then on', () => {
    const raised = { ...naming, value: { ...naming.value, version: 2 } };
    const [segment] = name(shop, inForce(), raised);
    expect(segment).toMatchObject({
      status: 'holds',
      bandChanges: [{ role: 'value', given: 1, present: 2 }],
      reason: 'keeps its name, which its figures earn under value bands version 2 (given by version 1)',
    });
    expect(segment!.condition.words[1]).toMatchObject({ word: 'high-value', version: 2 });
    const { name: kept, author, condition } = segment!;
    const [again] = name(shop, { ...inForce(), seg_0: { name: kept, author, condition } }, raised);
    expect(again).toMatchObject({ bandChanges: [], reason: 'keeps its name', condition });
  });

  test('a version of bands that gives another word makes the name questionable, though its old bounds hold', () => {
    const raised: NamingSettings = {
      ...naming,
      value: {
        ...naming.value,
        version: 2,
        bands: [
          { word: 'mid-value', below: 9_000 },
          { word: 'high-value', atLeast: 9_000 },
        ],
      },
    };
    const [segment] = name(shop, inForce(), raised);
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'questionable',
      proposal: { name: 'Active mid-value frequent buyers' },
      reason:
        'keeps its name, though its figures no longer back "high-value" under value bands version 2 (given by version 1)',
    });
    expect(segment!.condition).toEqual(inForce().seg_0!.condition);
  });

  test('bands that changed without a new version are told, and a word that is no more is not backed', () => {
    const renamed: NamingSettings = {
      ...naming,
      stage: { ...naming.stage, bands: [{ word: 'Busy', below: 45 }, ...naming.stage.bands.slice(1)] },
    };
    const [segment] = name(shop, inForce(), renamed);
    expect(segment).toMatchObject({
      status: 'questionable',
      proposal: { name: 'Busy high-value frequent buyers' },
    });
    expect(segment!.reason).toContain('which were changed within version 1');
  });

  test('a figure at the edge of a band does not flip the status: doubted a tenth beyond, restored within', () => {
    const after = (recencyDays: number, status: 'holds' | 'questionable') => {
      const names = inForce();
      const [segment] = name([{ ...shop[0]!, recencyDays }, ...shop.slice(1)], {
        ...names,
        seg_0: { ...names.seg_0!, status },
      });
      return segment!.status;
    };
    expect([44, 46, 49, 50].map((days) => after(days, 'holds'))).toEqual([
      'holds',
      'holds',
      'holds',
      'questionable',
    ]);
    expect([50, 46, 44].map((days) => after(days, 'questionable'))).toEqual([
      'questionable',
      'questionable',
      'holds',
    ]);
  });

  test('a name that had to hold an id stays questionable until figures tell the segment apart', () => {
    const twins = [shop[0]!, shop[0]!];
    const names = Object.fromEntries(name(twins).map((segment) => [segment.segmentId, segment]));
    const again = name(twins, names);
    expect(again.map(({ status, proposal }) => [status, proposal])).toEqual(
      Object.values(names).map(({ status }) => [status, null]),
    );
    const apart = name([shop[0]!, shop[3]!], names).find(({ segmentId }) =>
      names[segmentId]!.name.includes('('),
    )!;
    expect(apart.status).toBe('questionable');
    expect(apart.proposal!.name).not.toContain('(');
  });

  test('a name a person gave makes no claim and is never questioned', () => {
    const manual = { seg_0: { name: 'Our friends', author: 'manual' as const, condition: { words: [] } } };
    const [segment] = name(shop.toReversed(), manual);
    expect(segment).toMatchObject({ name: 'Our friends', author: 'manual', status: 'holds', evidence: [] });
  });

  test('names never change by themselves, whatever the figures do', () => {
    fc.assert(
      fc.property(fc.array(figures, { minLength: 4, maxLength: 4 }), (moved) => {
        const names = inForce();
        const after = name(moved, names);
        expect(after.map((segment) => segment.name)).toEqual(Object.values(names).map((kept) => kept.name));
        for (const { status, proposal } of after) expect(proposal !== null).toBe(status === 'questionable');
      }),
    );
  });
});
