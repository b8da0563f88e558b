import type { Identities } from './identity.ts';

/**
 * The identities of a run that applied the published model: each cluster is the segment it was, also one that nobody
 * moved into or out of. Nothing is born and nothing retires.
 *
 * @param input.segmentIds of the published segments, in the order of their clusters
 * @param input.usedIds every id the pipeline ever gave
 */
export function keepIdentities(input: {
  segmentIds: readonly string[];
  usedIds: readonly string[];
  commonCustomers: number;
}): Identities {
  const { segmentIds, usedIds, commonCustomers } = input;
  return {
    method: 'model',
    commonCustomers,
    segments: segmentIds.map((segmentId, cluster) => ({
      cluster,
      segmentId,
      event: 'survived',
      parents: [segmentId],
      overlap: 1,
    })),
    retired: [],
    usedIds: [...new Set([...usedIds, ...segmentIds])].sort(),
  };
}
