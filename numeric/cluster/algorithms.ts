import { type Contender, contender } from './contender.ts';
import { hdbscan } from './density/hdbscan.ts';
import { birch } from './hierarchy/birch.ts';
import { ward } from './hierarchy/ward.ts';
import { kMeans } from './k-means-algorithm.ts';
import { kMedoids } from './medoids/k-medoids.ts';
import { gaussianMixture } from './mixture/gaussian-mixture.ts';
import { randomGroups, YARDSTICK } from './random-groups.ts';
import { coresetKMeans } from './scale/coreset-k-means.ts';
import { miniBatchKMeans } from './scale/mini-batch-k-means.ts';

const clusters = (nClusters: number | null) => (nClusters === null ? {} : { nClusters });

/** Every algorithm that a comparison tries, simplest first: of two that do equally well the earlier one is taken. */
export const CONTENDERS: readonly Contender[] = [
  contender({ name: YARDSTICK, title: 'Random groups' }, randomGroups, clusters),
  contender({ name: 'k-means', title: 'k-means' }, kMeans, clusters),
  contender({ name: 'coreset-k-means', title: 'k-means on a coreset' }, coresetKMeans, clusters),
  contender({ name: 'mini-batch-k-means', title: 'Mini-batch k-means' }, miniBatchKMeans, clusters),
  contender({ name: 'ward', title: 'Ward' }, ward, clusters),
  contender({ name: 'birch', title: 'BIRCH' }, birch, clusters),
  // The search hardly depends on where it starts, and takes its time.
  contender({ name: 'k-medoids', title: 'k-medoids' }, kMedoids, (k) => ({ ...clusters(k), nInit: 2 })),
  contender({ name: 'gaussian-mixture-diag', title: 'Gaussian mix, diagonal' }, gaussianMixture, (k) => ({
    ...clusters(k),
    covarianceType: 'diag' as const,
  })),
  contender({ name: 'gaussian-mixture-full', title: 'Gaussian mix, full' }, gaussianMixture, (k) => ({
    ...clusters(k),
    covarianceType: 'full' as const,
  })),
  contender({ name: 'hdbscan', title: 'HDBSCAN' }, hdbscan, () => ({})),
];
