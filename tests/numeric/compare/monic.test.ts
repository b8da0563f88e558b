import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contingencyOf } from '../../../numeric/compare/contingency.ts';
import { type Transition, traceInternal, traceTransitions } from '../../../numeric/compare/monic.ts';

const table = (...rows: number[][]) =>
  contingencyOf(Float64Array.from(rows.flat()), rows.length, rows[0]!.length);

describe('traceTransitions', () => {
  test('most members together in a cluster of their own: survives', () => {
    expect(traceTransitions(table([7, 3], [2, 8]))).toEqual({
      previous: [
        { kind: 'survives', into: 0, overlap: 0.7 },
        { kind: 'survives', into: 1, overlap: 0.8 },
      ],
      emerged: [],
    });
  });

  test('most members of several in one: absorbed', () => {
    expect(traceTransitions(table([9, 1], [8, 2])).previous).toEqual([
      { kind: 'absorbed', into: 0, overlap: 0.9 },
      { kind: 'absorbed', into: 0, overlap: 0.8 },
    ]);
  });

  test('good parts in several that are most together: split, the largest part first', () => {
    expect(traceTransitions(table([3, 5, 2]))).toEqual({
      previous: [{ kind: 'split', into: [1, 0], overlap: 0.8 }],
      emerged: [2],
    });
  });

  test('scattered, or with nobody in common: disappears, and what nothing leads to emerges', () => {
    expect(traceTransitions(table([3, 2, 2, 2, 1], [0, 0, 0, 0, 0]))).toEqual({
      previous: [{ kind: 'disappears' }, { kind: 'disappears' }],
      emerged: [0, 1, 2, 3, 4],
    });
  });

  test('a part of one may be the survivor of another', () => {
    const { previous, emerged } = traceTransitions(table([40, 60], [90, 10]));
    expect(previous.map(({ kind }) => kind)).toEqual(['split', 'survives']);
    expect(emerged).toEqual([]);
  });

  test('thresholds are taken, and those that allow two survivors refused', () => {
    expect(traceTransitions(table([7, 3]), { survival: 0.8 }).previous[0]!.kind).toBe('split');
    expect(traceTransitions(table([7, 3]), { survival: 0.8, split: 0.4 }).previous[0]!.kind).toBe(
      'disappears',
    );
    expect(() => traceTransitions(table([7, 3]), { survival: 0.5 })).toThrow(
      'above 0.5 and up to 1, found 0.5',
    );
    expect(() => traceTransitions(table([7, 3]), { split: 0.8 })).toThrow('above 0 and up to 0.7, found 0.8');
  });
});

describe('laws', () => {
  const anyTable = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
    .chain(([rows, columns]) =>
      fc
        .array(fc.oneof(fc.nat(3), fc.nat(100)), { minLength: rows * columns, maxLength: rows * columns })
        .map((counts) => contingencyOf(Float64Array.from(counts), rows, columns)),
    );

  test('every previous cluster has one transition, every current one comes from somewhere or emerges', () => {
    fc.assert(
      fc.property(anyTable, (given) => {
        const { previous, emerged } = traceTransitions(given);
        expect(previous).toHaveLength(given.rows);
        const reached = previous.flatMap((transition) => ('into' in transition ? transition.into : []));
        const all = new Set([...reached, ...emerged]);
        expect([...all].sort()).toEqual(Array.from({ length: given.columns }, (_, column) => column).sort());
        expect(emerged.some((column) => reached.includes(column))).toBe(false);
      }),
    );
  });

  test('survivors have a cluster to themselves, the absorbed never', () => {
    fc.assert(
      fc.property(anyTable, (given) => {
        const { previous } = traceTransitions(given);
        const intoOf = (kind: Transition['kind']) =>
          previous.flatMap((transition) =>
            transition.kind === kind && 'into' in transition ? transition.into : [],
          );
        expect(new Set(intoOf('survives')).size).toBe(intoOf('survives').length);
        for (const into of intoOf('absorbed')) {
          expect(intoOf('absorbed').filter((other) => other === into).length).toBeGreaterThan(1);
        }
      }),
    );
  });

  test('identical partitions all survive', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        const rows = sizes.map((size, i) => sizes.map((_, j) => (i === j ? size : 0)));
        const { previous, emerged } = traceTransitions(table(...rows));
        expect(previous).toEqual(sizes.map((_, i) => ({ kind: 'survives', into: i, overlap: 1 })));
        expect(emerged).toEqual([]);
      }),
    );
  });

  test('other numbers for the clusters give the same answer under those numbers', () => {
    fc.assert(
      fc.property(
        anyTable,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (given, chance) => {
          const orderOf = (count: number) => {
            const keys = Array.from({ length: count }, () => chance.next().value!);
            return keys.map((_, i) => i).sort((i, j) => keys[i]! - keys[j]! || i - j);
          };
          const rowAt = orderOf(given.rows);
          const columnAt = orderOf(given.columns);
          const turned = contingencyOf(
            Float64Array.from(given.counts, (_, at) => {
              const row = rowAt[Math.floor(at / given.columns)]!;
              return given.counts[row * given.columns + columnAt[at % given.columns]!]!;
            }),
            given.rows,
            given.columns,
          );
          const plain = traceTransitions(given);
          const other = traceTransitions(turned);
          // Equal parts of a split keep the order of their numbers, which are others now.
          const partsOf = (transition: Transition, name: (column: number) => number) =>
            'into' in transition ? [transition.into].flat().map(name).sort() : [];
          other.previous.forEach((transition, row) => {
            const was = plain.previous[rowAt[row]!]!;
            expect(transition.kind).toBe(was.kind);
            expect(partsOf(transition, (column) => columnAt[column]!)).toEqual(
              partsOf(was, (column) => column),
            );
          });
          expect(other.emerged.map((column) => columnAt[column]!).sort()).toEqual([...plain.emerged].sort());
        },
      ),
    );
  });
});

describe('traceInternal', () => {
  const before = { size: 100, radius: 2 };

  test('tells size, compactness and location from a threshold on', () => {
    const told = (size: number, radius: number, distance: number) =>
      Object.values(traceInternal({ before, after: { size, radius }, distance }));
    expect(told(130, 2.5, 0.6)).toEqual(['same', 'same', 'same']);
    expect(told(131, 2.61, 0.61)).toEqual(['grows', 'looser', 'shifts']);
    expect(told(69, 1.39, 0)).toEqual(['shrinks', 'tighter', 'same']);
  });

  test('of one customer anything is a change, and staying is none', () => {
    const one = { size: 1, radius: 0 };
    expect(traceInternal({ before: one, after: one, distance: 0 })).toEqual({
      size: 'same',
      compactness: 'same',
      location: 'same',
    });
    expect(traceInternal({ before: one, after: { size: 2, radius: 1 }, distance: 0.1 })).toEqual({
      size: 'grows',
      compactness: 'looser',
      location: 'shifts',
    });
  });
});
