import type { DiffInput } from '../../../../pipelines/stages/evolution/diff.ts';
import { compareModelByData } from '../../../../pipelines/stages/evolution/model-by-data.ts';
import { traceMovements } from '../../../../pipelines/stages/movements.ts';
import { flowsBetween, type MadeRun, madeRun, SHOP, WORDS } from './made-evolution.ts';

export const BEFORE = madeRun(0, { k: 3, size: 300 });
export const AFTER = madeRun(1, { k: 3, size: 320, first: 10, turn: 3 });

const idsOf = ({ run }: MadeRun) => run.segments.map(({ segmentId }) => segmentId);

function joinOf(before: MadeRun, after: MadeRun) {
  const previousRow = Int32Array.from(after.people, (person) => before.people.indexOf(person));
  const lost = before.people.flatMap((person, row) => (after.people.includes(person) ? [] : [row]));
  return { previousRow, lost: Int32Array.from(lost), common: previousRow.filter((row) => row >= 0).length };
}

/** What a comparison of two made runs is told of; both models agree on the later figures. */
export function diffOf(before = BEFORE, after = AFTER, changes: Partial<DiffInput> = {}): DiffInput {
  const join = joinOf(before, after);
  const shared = { join, previousIds: idsOf(before), currentIds: idsOf(after) };
  const labels = { previousLabels: before.labels, labels: after.labels };
  const movements = traceMovements({
    ...{ ...shared, ...labels, relabelled: after.labels },
    borders: { last: null, new: null },
    spendCents: after.cents,
    previousSpendCents: before.cents,
  });
  return {
    pipeline: 'shop',
    ...{ before: before.run, after: after.run, between: 0, edges: [], lineageGap: null },
    definitions: { before: SHOP, after: SHOP },
    presentNames: new Map(),
    flows: flowsBetween(before, after),
    stability: {
      ...{
        verdict: 'drifted',
        reasons: ['so'],
        adjustedRand: 0.5,
        movedShare: 0.2,
        drift: [],
        centroids: null,
      },
      metrics: [
        { metric: 'adjusted-mutual-information', subject: '', value: 0.4, threshold: null, verdict: 'told' },
      ],
      movements: { ...movements, noiseBands: { last: 0.1, new: 0.1 } },
    },
    modelByData: compareModelByData({
      ...shared,
      ...labels,
      relabelled: after.labels,
      backLabelled: before.labels,
    }),
    words: WORDS,
    ...changes,
  };
}

/** The same of a run as of later, whose customers begin at `first` and whose segments are called by `title`. */
export function madeDiff({ first = 10, title }: { first?: number; title: string }): DiffInput {
  return diffOf(
    madeRun(0, { k: 3, size: 300, title }),
    madeRun(1, { k: 4, size: 320, first, turn: 3, title }),
  );
}
