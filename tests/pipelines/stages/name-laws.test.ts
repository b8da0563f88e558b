import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { countNameWords, rankNameWords } from '../../../pipelines/contracts/name-words.ts';
import type { NamingSettings } from '../../../pipelines/contracts/naming-settings.ts';
import { checkSegmentName } from '../../../pipelines/contracts/segment-name.ts';
import type { Columns } from '../../../pipelines/stages/features.ts';
import { nameSegments, type PreviousName, type SegmentName } from '../../../pipelines/stages/name.ts';
import { createResample, STABLE_SHARE } from '../../../pipelines/stages/name-bootstrap.ts';
import { checkCondition } from '../../../pipelines/stages/name-evidence.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { onlineRetailRfm, realData } from '../../numeric/helpers/real-data.ts';

// What a name promises to those who plan with it, through the real fit: it is the same for the same customers, however
// their rows come and whatever the seed, and other customers do not change it.

const naming: NamingSettings = {
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Active', below: 30 },
      { word: 'Cooling', atLeast: 30, below: 90 },
      { word: 'Lapsing', atLeast: 90, below: 180 },
      { word: 'Lapsed', atLeast: 180 },
    ],
  },
  value: {
    feature: 'spend',
    bands: [
      { word: 'modest-value', below: 500 },
      { word: 'mid-value', atLeast: 500, below: 2000 },
      { word: 'high-value', atLeast: 2000 },
    ],
  },
  traits: [
    { feature: 'orders', high: 'frequent buyers', low: 'occasional buyers' },
    { feature: 'averageOrder', high: 'big-order buyers', low: 'small-order buyers' },
  ],
};
const CLUSTERED = ['recencyDays', 'orders', 'spend'].map((feature) => ({
  feature,
  transforms: ['log1p' as const, 'standard' as const],
}));

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

interface Shop {
  /** Customers, in the order of the rows. */
  ids: readonly number[];
  columns: Columns;
}

const shopOf = (rows: readonly (readonly number[])[], ids = rows.map((_, id) => id)): Shop => {
  const column = (of: (row: readonly number[]) => number) => Float64Array.from(rows, of);
  const [recencyDays, orders, spend] = [0, 1, 2].map((j) => column((row) => row[j]!));
  return {
    ids,
    columns: {
      ...{ recencyDays: recencyDays!, orders: orders!, spend: spend! },
      averageOrder: column((row) => row[2]! / row[1]!),
    },
  };
};

/** Four groups that anybody would tell apart, each figure lognormal around its group's. */
function madeShop(customers: number): Shop {
  const random = createRandom(11);
  const groups = [
    [8, 25, 6000],
    [12, 3, 240],
    [60, 6, 1100],
    [300, 1, 90],
  ] as const;
  return shopOf(
    Array.from({ length: customers }, (_, id) =>
      groups[id % 4]!.map((figure, j) => {
        const drawn = figure * Math.exp(0.25 * random.normal());
        return j === 1 ? Math.max(1, Math.round(drawn)) : drawn;
      }),
    ),
  );
}

async function realShop(): Promise<Shop> {
  const [recencyDays, orders, spend] = await onlineRetailRfm();
  return shopOf(Array.from(orders!, (own, row) => [recencyDays![row]!, own, spend![row]!]));
}

/** The same customers in another order, and more of them behind. */
function rearranged({ ids, columns }: Shop, order: readonly number[]): Shop {
  return {
    ids: order.map((row) => ids[row]!),
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name,
        Float64Array.from(order, (row) => values[row]!),
      ]),
    ),
  };
}

interface Segmented {
  labels: Uint8Array;
  names: SegmentName[];
  /** Customers of each cluster. */
  members: Set<number>[];
}

const K = 4;

async function cluster({ columns }: Shop, seed: number): Promise<Uint8Array> {
  const transforms = fitTransforms(columns, CLUSTERED);
  return (await fitKMeans(pool, applyTransforms(columns, transforms), { nClusters: K, seed })).labels;
}

/** @param before segments whose ids go on in the cluster with most of their members */
function name(shop: Shop, labels: Uint8Array, before?: Segmented): Segmented {
  const members = Array.from({ length: K }, () => new Set<number>());
  for (const [row, id] of shop.ids.entries()) members[labels[row]!]!.add(id);
  const segments = members.map((own, at) => ({
    cluster: at,
    segmentId: continued(own, before) ?? `seg_${at}`,
  }));
  const profiles = profileSegments({ columns: shop.columns, labels, k: K });
  const previousNames = Object.fromEntries(
    (before?.names ?? []).map(({ segmentId, name, author, condition, status }): [string, PreviousName] => [
      segmentId,
      { name, author, condition, status },
    ]),
  );
  const resample = createResample({ columns: shop.columns, labels, profiles });
  return { labels, members, names: nameSegments({ naming, profiles, resample, segments, previousNames }) };
}

function continued(own: ReadonlySet<number>, before: Segmented | undefined): string | undefined {
  const common = (before?.members ?? []).map((theirs) => [...theirs].filter((id) => own.has(id)).length);
  return before?.names[common.indexOf(Math.max(...common))]?.segmentId;
}

/** Names then and now of every segment that is still the same: 98 % of the members of either are in both. */
function namesOfUnchanged(before: Segmented, after: Segmented): [string, string][] {
  return before.names.flatMap((then): [string, string][] => {
    const own = before.members[then.cluster]!;
    const same = after.names.find(({ cluster }) => {
      const theirs = after.members[cluster]!;
      const common = [...theirs].filter((id) => own.has(id)).length;
      return common >= 0.98 * (own.size + theirs.size - common);
    });
    return same ? [[then.name, same.name]] : [];
  });
}

describe.each([
  ['on generated customers', () => Promise.resolve(madeShop(1_200)), true],
  ['on Online Retail', realShop, realData !== undefined],
] as const)('%s', (_, open, isThere) => {
  describe.skipIf(!isThere)('names', () => {
    let shop: Shop;
    let first: Segmented;
    beforeAll(async () => {
      shop = await open();
      first = name(shop, await cluster(shop, 1));
    });

    test('are different, of at most four words, and every word passes its evidence test', () => {
      const { names, labels } = first;
      expect(new Set(names.map((segment) => segment.name.toLowerCase())).size).toBe(K);
      const profiles = profileSegments({ columns: shop.columns, labels, k: K });
      for (const segment of names) {
        expect(segment.status).toBe('holds');
        expect(countNameWords(segment.name)).toBeLessThanOrEqual(4);
        expect(checkSegmentName(segment.name)).toBe(segment.name);
        expect(rankNameWords(segment.name)).toEqual([]);
        expect(segment.evidence.map(({ word }) => word.toLowerCase()).join(' ')).toBe(
          segment.name.toLowerCase(),
        );
        expect(checkCondition(segment.condition, profiles.segments[segment.cluster]!, 'bounds')).toBe(true);
        for (const { stability } of segment.evidence) expect(stability).toBeGreaterThanOrEqual(STABLE_SHARE);
      }
    });

    test('are the same when the rows come in another order', () => {
      const order = createRandom(3).shuffle(shop.ids.map((_, row) => row));
      const labels = Uint8Array.from(order, (row) => first.labels[row]!);
      const again = name(rearranged(shop, order), labels);
      expect(namesOfUnchanged(first, again)).toEqual(first.names.map((then) => [then.name, then.name]));
    });

    test('are the same of every segment that another seed finds again', async () => {
      for (const seed of [2, 3, 4]) {
        const again = name(shop, await cluster(shop, seed));
        expect(namesOfUnchanged(first, again)).toEqual(first.names.map((then) => [then.name, then.name]));
      }
    });

    test('stay, and are not doubted, when a fifth more customers with one order come', () => {
      const random = createRandom(8);
      const { ids, columns } = shop;
      const newcomers = Array.from({ length: Math.round(ids.length / 5) }, () => [
        1 + random.int(300),
        1,
        10 + random.int(80),
      ]);
      const rows = ids.map((_, row) => [
        columns.recencyDays![row]!,
        columns.orders![row]!,
        columns.spend![row]!,
      ]);
      const larger = shopOf([...rows, ...newcomers]);
      const ordersOf = profileSegments({ columns, labels: first.labels, k: K }).segments.map(
        ({ features }) => features.orders!.mean,
      );
      const fewest = ordersOf.indexOf(Math.min(...ordersOf));
      const labels = Uint8Array.from(larger.ids, (row) => first.labels[row] ?? fewest);
      const after = name(larger, labels, first);
      const bySegment = (names: readonly SegmentName[]) =>
        names.map((segment) => [segment.segmentId, segment.name]).sort();
      expect(bySegment(after.names)).toEqual(bySegment(first.names));
      const unchanged = after.names.filter((segment) => segment.cluster !== fewest);
      expect(unchanged.map(({ status }) => status)).toEqual(unchanged.map(() => 'holds'));
      // Named anew, stage and value are the same, too: they look at nobody else.
      const bands = ({ condition }: SegmentName) =>
        condition.words.filter(({ role }) => role === 'stage' || role === 'value').map(({ word }) => word);
      const anew = name(larger, labels).names.filter((segment) => segment.cluster !== fewest);
      for (const segment of anew) expect(bands(segment)).toEqual(bands(first.names[segment.cluster]!));
    });
  });
});
