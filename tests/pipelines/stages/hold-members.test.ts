import { expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { type HoldInput, holdMembers, NOT_WAITING } from '../../../pipelines/stages/hold-members.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';

// Customers a to f; the segments have changed places, and segment `old` is no more.
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const input: HoldInput = {
  join: joinCustomers(toCustomerIds(names.slice(0, 5)), toCustomerIds(names)),
  previousIds: ['one', 'two', 'old'],
  currentIds: ['two', 'one', 'fresh'],
  previousLabels: Uint8Array.of(0, 1, 0, 1, 2),
  previousWaiting: null,
  labels: Uint8Array.of(1, 0, 0, 2, 1, 0),
  margins: [0.9, 0.9, 0.1, 0.01, 0.01, 0.01],
  noiseBand: 0.2,
};

test('a customer at a border stays, and waits for where they were seen', () => {
  const { labels, waiting, held } = holdMembers(input);
  // c goes from one to two within the noise band; nobody waits for a new segment (d) or in one that is no more (e).
  expect([...labels]).toEqual([1, 0, 1, 2, 1, 0]);
  expect([...waiting]).toEqual([255, 255, 0, 255, 255, 255]);
  expect(held).toBe(1);
});

test('seen there a second time they go', () => {
  const before = Uint8Array.of(NOT_WAITING, NOT_WAITING, 1, NOT_WAITING, NOT_WAITING);
  const { labels, held } = holdMembers({ ...input, previousWaiting: before });
  expect([...labels]).toEqual([...input.labels]);
  expect(held).toBe(0);
});

test('clearly in the new segment they go', () => {
  expect(holdMembers({ ...input, noiseBand: 0.05 }).held).toBe(0);
});

test('no segment is left without customers for it', () => {
  const { labels, held, waiting } = holdMembers({
    ...input,
    labels: Uint8Array.of(1, 1, 0, 2, 1, 1),
    margins: [0.9, 0.9, 0.1, 0.01, 0.01, 0.01],
  });
  expect(held).toBe(0);
  expect([...labels]).toEqual([1, 1, 0, 2, 1, 1]);
  expect(new Set(waiting)).toEqual(new Set([NOT_WAITING]));
});
