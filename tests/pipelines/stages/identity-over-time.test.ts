import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { labelByPrevious } from '../../../activities/previous-model.ts';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { matchIdentities } from '../../../pipelines/stages/identity.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';
import { canRead, createModel, parseModel } from '../../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';

// Two runs half a year apart, through the real fit, model and labels. The shop has the same three groups; all
// figures have drifted, and the newcomers of the first run have become the regulars of the second.

const GROUPS = { newcomers: [1.5, 40], regulars: [9, 400], devoted: [40, 4000] } as const;
type Group = keyof typeof GROUPS;

const about = { unit: 'x', why: 'y' };
const definition = {
  pipeline: 'shop',
  version: 1,
  features: {
    aggregate: [
      { name: 'orders', sql: 'count(distinct order_id)', ...about },
      { name: 'spend', sql: 'sum(amount)', ...about },
    ],
    derive: [],
    cluster: ['orders', 'spend'].map((feature) => ({
      feature,
      transforms: ['log1p' as const, 'standard' as const],
    })),
  },
};

let pool: KernelPool;
beforeAll(() => {
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

/** Group of each customer by number; every figure is lognormal around its group's, times the drift. */
function shop(groups: [Group, number, number][], { seed, drift }: { seed: number; drift: number }) {
  const random = createRandom(seed);
  const members = groups.flatMap(([group, from, to]) =>
    Array.from({ length: to - from }, (_, i) => ({ id: `c${1000 + from + i}`, group })),
  );
  const figure = (at: 0 | 1) =>
    Float64Array.from(members, ({ group }) => GROUPS[group][at] * drift * Math.exp(0.2 * random.normal()));
  return {
    groups: members.map(({ group }) => group),
    customers: toCustomerIds(members.map(({ id }) => id)),
    columns: { orders: figure(0), spend: figure(1) },
  };
}

async function fit({ columns }: ReturnType<typeof shop>, seed: number) {
  const transforms = fitTransforms(columns, definition.features.cluster);
  const { labels, centers, sizes } = await fitKMeans(pool, applyTransforms(columns, transforms), {
    nClusters: 3,
    seed,
    nInit: 5,
  });
  const model = createModel({ definition, seed, transforms, centers, sizes, columns });
  return { labels, sizes: Array.from(sizes), text: JSON.stringify(model) };
}

/** The one id that all customers of a group have. */
function idOfGroup(group: Group, run: { groups: Group[]; labels: Uint8Array; segmentIds: string[] }): string {
  const ids = new Set(
    [...run.labels].filter((_, row) => run.groups[row] === group).map((c) => run.segmentIds[c]!),
  );
  expect([...ids]).toHaveLength(1);
  return [...ids][0]!;
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

test('months later, with drift but the same structure, every segment keeps its id by the model', async () => {
  const before = shop(
    [
      ['newcomers', 0, 400],
      ['regulars', 400, 700],
      ['devoted', 700, 900],
    ],
    { seed: 1, drift: 1 },
  );
  const after = shop(
    [
      ['regulars', 0, 700],
      ['devoted', 700, 900],
      ['newcomers', 900, 1300],
    ],
    { seed: 2, drift: 1.3 },
  );
  const [old, fresh] = [await fit(before, 1), await fit(after, 2)];
  // The groups come out of the second fit in another order: numbers of clusters say nothing.
  expect([...old.labels.slice(0, 1), ...fresh.labels.slice(0, 1)]).toEqual([0, 0]);

  const born = matchIdentities({
    pipeline: 'shop',
    modelDigest: digest(old.text),
    labels: old.labels,
    sizes: old.sizes,
    previous: null,
    relabelled: null,
    digest,
  });
  const previousIds = born.segments.map(({ segmentId }) => segmentId);
  const published = parseModel(JSON.parse(old.text));
  expect(canRead(published, definition)).toBe(true);
  const input = {
    pipeline: 'shop',
    modelDigest: digest(fresh.text),
    labels: fresh.labels,
    sizes: fresh.sizes,
    previous: {
      segmentIds: previousIds,
      usedIds: born.usedIds,
      labels: old.labels,
      join: joinCustomers(before.customers, after.customers),
    },
    relabelled: (await labelByPrevious({ threads: 1 }, published, after.columns)).labels,
    digest,
  };
  const found = matchIdentities(input);
  expect(found.method).toBe('model');
  expect(found.segments.map(({ event }) => event)).toEqual(['survived', 'survived', 'survived']);
  expect(found.retired).toEqual([]);
  const ids = (groups: Group[], labels: Uint8Array, { segments }: typeof found) => {
    const run = { groups, labels, segmentIds: segments.map(({ segmentId }) => segmentId) };
    return (Object.keys(GROUPS) as Group[]).map((group) => idOfGroup(group, run));
  };
  expect(ids(after.groups, fresh.labels, found)).toEqual(ids(before.groups, old.labels, born));

  // By members the newcomers' id goes with them and the regulars' ends: what the model's labels are for.
  const byMembers = matchIdentities({ ...input, relabelled: null });
  const [newcomers, regulars] = ids(before.groups, old.labels, born);
  expect(ids(after.groups, fresh.labels, byMembers)[1]).toBe(newcomers);
  expect(byMembers.retired.map(({ segmentId }) => segmentId)).toEqual([regulars]);
});
