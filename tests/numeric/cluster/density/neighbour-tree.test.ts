import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  buildNeighbourTree,
  nearestRows,
  searchNear,
} from '../../../../numeric/cluster/density/neighbour-tree.ts';
import { readPoints, squaredDistance } from '../../../../numeric/cluster/hierarchy/points.ts';
import { makeNoise } from '../../helpers/made-data.ts';

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 300 }),
  columns: fc.integer({ min: 1, max: 6 }),
  // Few steps make many equal rows and equal distances.
  steps: fc.constantFrom(1, 3, 1e6),
  seed: fc.nat(1000),
});

function pointsOf({ rows, columns, steps, seed }: Record<'rows' | 'columns' | 'steps' | 'seed', number>) {
  const points = readPoints(makeNoise(rows, columns, seed), null);
  return { ...points, values: points.values.map((value) => Math.round(value * steps) / steps) };
}

test('a search visits all rows within its limit and no other', () => {
  fc.assert(
    fc.property(shape, fc.constantFrom(0, 0.5, 1, 2), (made, limit) => {
      const points = pointsOf(made);
      const { columns, values } = points;
      const visited: [number, number][] = [];
      searchNear(
        buildNeighbourTree(points),
        { values, at: 0 },
        {
          limit,
          visit: (row, distance) => visited.push([row, distance]),
        },
      );
      const expected = Array.from({ length: points.rows }, (_, row): [number, number] => [
        row,
        Math.sqrt(squaredDistance(values, row * columns, 0, columns)),
      ]).filter(([, distance]) => distance <= limit);
      expect(visited.sort(([a], [b]) => a - b)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test('the nearest rows are those that sorting all distances gives', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 20 }), (made, count) => {
      const points = pointsOf(made);
      const { columns, values, rows } = points;
      const nearest = nearestRows(Math.min(count, rows));
      searchNear(buildNeighbourTree(points), { values, at: 0 }, nearest);
      const sorted = Float64Array.from({ length: rows }, (_, row) =>
        Math.sqrt(squaredDistance(values, row * columns, 0, columns)),
      ).sort();
      expect(nearest.distances.toSorted()).toEqual(sorted.subarray(0, nearest.distances.length));
      expect(nearest.limit).toBe(sorted[nearest.distances.length - 1]);
      nearest.rows.forEach((row, i) => {
        expect(Math.sqrt(squaredDistance(values, row * columns, 0, columns))).toBe(nearest.distances[i]);
      });
      expect(new Set(nearest.rows).size).toBe(nearest.rows.length);
    }),
    { numRuns: 100 },
  );
});
