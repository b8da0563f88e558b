import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { type Identities, matchIdentities } from '../../../pipelines/stages/identity.ts';
import { BEYOND_REACH, joinCustomers } from '../../../pipelines/stages/match.ts';

// Identities over any history of runs: who is a customer, how they are labelled and what the models make of each
// other's customers is arbitrary here.

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

interface Month {
  /** Label of each customer, -1 = none of this run's. */
  labels: number[];
  /** What the model before makes of them, and this one of those before; null = cannot read. */
  relabelled: number[] | null;
  previousRelabelled: number[] | null;
  k: number;
}

const CUSTOMERS = 24;

const months = fc.array(
  fc.integer({ min: 1, max: 4 }).chain((k) =>
    fc.record({
      k: fc.constant(k),
      labels: fc.array(fc.integer({ min: -1, max: k - 1 }), { minLength: CUSTOMERS, maxLength: CUSTOMERS }),
      relabelled: fc.option(fc.array(fc.nat(4), { minLength: CUSTOMERS, maxLength: CUSTOMERS })),
      previousRelabelled: fc.option(fc.array(fc.nat(4), { minLength: CUSTOMERS, maxLength: CUSTOMERS })),
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

interface Kept {
  identities: Identities;
  labels: Uint8Array;
  customers: number[];
}

/** Codes beyond the clusters there are: nowhere within reach. */
const within = (label: number, k: number) => (label < k ? label : BEYOND_REACH);

function runMonth(month: Month, before: Kept | null, modelDigest: string): Kept {
  const all = Array.from({ length: CUSTOMERS }, (_, i) => i);
  // Every cluster has somebody, as those of a fit do.
  const labelOf = (i: number) => (i < month.k ? i : month.labels[i]!);
  const customers = all.filter((i) => labelOf(i) >= 0);
  const labels = Uint8Array.from(customers, labelOf);
  const sizes = Array.from({ length: month.k }, (_, c) => labels.filter((label) => label === c).length);
  const ids = (of: number[]) => toCustomerIds(of.map((i) => `c${100 + i}`));
  const previousK = before?.identities.segments.length ?? 0;
  const identities = matchIdentities({
    ...{ pipeline: 'shop', modelDigest, labels, sizes, digest },
    previous: before && {
      segmentIds: before.identities.segments.map(({ segmentId }) => segmentId),
      usedIds: before.identities.usedIds,
      labels: before.labels,
      join: joinCustomers(ids(before.customers), ids(customers)),
    },
    relabelled:
      before &&
      month.relabelled &&
      Uint8Array.from(customers, (i) => within(month.relabelled![i]!, previousK)),
    previousRelabelled:
      before &&
      month.previousRelabelled &&
      Uint8Array.from(before.customers, (i) => within(month.previousRelabelled![i]!, month.k)),
  });
  return { identities, labels, customers };
}

function runAll(history: Month[]): Kept[] {
  const runs: Kept[] = [];
  for (const [at, month] of history.entries()) runs.push(runMonth(month, runs.at(-1) ?? null, `m${at % 2}`));
  return runs;
}

const idsOf = ({ identities }: Kept) => identities.segments.map(({ segmentId }) => segmentId);

test('no key is given twice, and none that has retired comes back', () => {
  fc.assert(
    fc.property(months, (history) => {
      const retired = new Set<string>();
      const used = new Set<string>();
      let current = new Set<string>();
      for (const run of runAll(history)) {
        const ids = idsOf(run);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) {
          expect(retired.has(id)).toBe(false);
          expect(current.has(id) || !used.has(id)).toBe(true);
          used.add(id);
        }
        for (const { segmentId } of run.identities.retired) retired.add(segmentId);
        // Whatever was published last goes on or retires, and is told to.
        for (const id of current) expect(ids.includes(id)).toBe(!retired.has(id));
        current = new Set(ids);
        expect(new Set(run.identities.usedIds)).toEqual(used);
      }
    }),
  );
});

test('done again, a run comes to the same identities', () => {
  fc.assert(
    fc.property(months, (history) => {
      expect(runAll(history)).toEqual(runAll(structuredClone(history)));
    }),
  );
});

test('every segment of the last publication has a transition whose shares are of its customers', () => {
  fc.assert(
    fc.property(months, (history) => {
      const runs = runAll(history);
      runs.slice(1).forEach(({ identities }, at) => {
        if (!identities.transitions) return;
        const { previous } = identities.transitions;
        expect(previous.map(({ segmentId }) => segmentId)).toEqual(idsOf(runs[at]!));
        for (const { into, compared, kind } of previous) {
          const told = into.reduce((sum, { share }) => sum + share, 0);
          expect(told).toBeLessThanOrEqual(1 + 1e-9);
          expect(compared > 0 || kind === 'disappears').toBe(true);
        }
      });
    }),
  );
});

test('the order of customers does not matter', () => {
  const shuffled = fc.shuffledSubarray(
    Array.from({ length: CUSTOMERS - 4 }, (_, i) => i + 4),
    { minLength: CUSTOMERS - 4 },
  );
  fc.assert(
    fc.property(months, shuffled, (history, order) => {
      const places = [0, 1, 2, 3, ...order];
      const mixed = history.map((month) => ({
        ...month,
        labels: places.map((i) => month.labels[i]!),
        relabelled: month.relabelled && places.map((i) => month.relabelled![i]!),
        previousRelabelled: month.previousRelabelled && places.map((i) => month.previousRelabelled![i]!),
      }));
      expect(runAll(mixed).map(({ identities }) => identities)).toEqual(
        runAll(history).map(({ identities }) => identities),
      );
    }),
  );
});
