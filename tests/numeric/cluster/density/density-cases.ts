import type { DensityOptions } from '../../../../numeric/cluster/density/density-clusters.ts';
import { type Matrix, matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom, type Random } from '../../../../numeric/random/random.ts';

export interface DensityCase {
  readonly name: string;
  readonly X: Matrix;
  /** The rest is scikit-learn's default; minSamples is minClusterSize. */
  readonly options: Partial<DensityOptions> & { readonly minClusterSize: number };
}

/** Made data on which scikit-learn's labels are known (tests/numeric/fixtures/density.json). */
export function densityCases(): DensityCase[] {
  const blobs = matrixFromRows(blobsWithNoise(createRandom('blobs'), { columns: 4, noise: 100 }));
  const moons = matrixFromRows(twoMoons(createRandom('moons')));
  const uneven = matrixFromRows(unevenDensity(createRandom('uneven')));
  const repeated = matrixFromRows(repeatedRows(createRandom('repeated')));
  const wide = matrixFromRows(blobsWithNoise(createRandom('wide'), { columns: 12, noise: 60 }));
  return [
    { name: 'blobs with noise', X: blobs, options: { minClusterSize: 15 } },
    { name: 'blobs with noise, minSamples 5', X: blobs, options: { minClusterSize: 20, minSamples: 5 } },
    { name: 'blobs with noise, minSamples 1', X: blobs, options: { minClusterSize: 10, minSamples: 1 } },
    { name: 'blobs in 12 columns', X: wide, options: { minClusterSize: 10 } },
    { name: 'two moons', X: moons, options: { minClusterSize: 10 } },
    { name: 'uneven density', X: uneven, options: { minClusterSize: 12 } },
    {
      name: 'uneven density, leaves',
      X: uneven,
      options: { minClusterSize: 12, clusterSelectionMethod: 'leaf' },
    },
    {
      name: 'uneven density, epsilon',
      X: uneven,
      options: { minClusterSize: 12, clusterSelectionMethod: 'leaf', clusterSelectionEpsilon: 0.6 },
    },
    {
      name: 'uneven density, epsilon, eom',
      X: uneven,
      options: { minClusterSize: 5, clusterSelectionEpsilon: 0.6 },
    },
    {
      name: 'one blob, allowed to be single',
      X: matrixFromRows(blob(createRandom('single'), { rows: 300, center: [0, 0], spread: 1 })),
      options: { minClusterSize: 15, allowSingleCluster: true },
    },
    {
      name: 'one blob, allowed to be single, epsilon',
      X: matrixFromRows(blob(createRandom('single'), { rows: 300, center: [0, 0], spread: 1 })),
      options: { minClusterSize: 15, allowSingleCluster: true, clusterSelectionEpsilon: 0.5 },
    },
    { name: 'repeated rows', X: repeated, options: { minClusterSize: 10 } },
    { name: 'repeated rows, minSamples 3', X: repeated, options: { minClusterSize: 20, minSamples: 3 } },
  ];
}

function blob(
  random: Random,
  { rows, center, spread }: { rows: number; center: readonly number[]; spread: number },
): number[][] {
  return Array.from({ length: rows }, () => center.map((place) => place + random.normal() * spread));
}

function blobsWithNoise(random: Random, { columns, noise }: { columns: number; noise: number }): number[][] {
  const groups = Array.from({ length: 5 }, () => {
    const center = Array.from({ length: columns }, () => random.float() * 20 - 10);
    return blob(random, { rows: 60 + random.int(80), center, spread: 0.5 + random.float() });
  });
  const anywhere = Array.from({ length: noise }, () =>
    Array.from({ length: columns }, () => random.float() * 24 - 12),
  );
  return [...groups.flat(), ...anywhere];
}

function twoMoons(random: Random): number[][] {
  return Array.from({ length: 500 }, (_, i) => {
    const angle = Math.PI * random.float();
    const [x, y] = i % 2 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
    return [x! + random.normal() * 0.07, y! + random.normal() * 0.07];
  });
}

function unevenDensity(random: Random): number[][] {
  return [
    ...blob(random, { rows: 150, center: [0, 0], spread: 0.2 }),
    ...blob(random, { rows: 150, center: [2, 0], spread: 0.3 }),
    ...blob(random, { rows: 200, center: [8, 8], spread: 1.5 }),
    ...blob(random, { rows: 100, center: [-6, 6], spread: 0.8 }),
  ];
}

/** Counts, as orders per customer are: many rows are equal, and most distances are. */
function repeatedRows(random: Random): number[][] {
  return Array.from({ length: 600 }, (_, i) => {
    const [x, y, spread] = [
      [0, 0, 1],
      [12, 3, 1.5],
      [5, 14, 2],
    ][i % 3]!;
    return [Math.round(x! + random.normal() * spread!), Math.round(y! + random.normal() * spread!)];
  });
}
