import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Definition } from '../../../../pipelines/contracts/definition.ts';
import { parseDefinition } from '../../../../pipelines/contracts/definition.ts';
import { describeEvolution, type EvolutionReport } from '../../../../pipelines/stages/evolution/evolution.ts';
import { countFlows, type Flow } from '../../../../pipelines/stages/evolution/flows.ts';
import type { ChangeWords } from '../../../../pipelines/stages/evolution/profile-changes.ts';
import type { ProfiledRun } from '../../../../pipelines/stages/evolution/published.ts';
import { profileSegments } from '../../../../pipelines/stages/segment-profile.ts';

const FOLDER = fileURLToPath(new URL('../../../../pipelines/definitions/shop/', import.meta.url));
const read = (file: string) => readFileSync(`${FOLDER}${file}`, 'utf8');

export const SHOP: Definition = parseDefinition('shop', {
  pipeline: read('pipeline.yaml'),
  contract: read('contract.yaml'),
});

export const WORDS: ChangeWords = {
  format: {
    units: new Map([
      ['orders', 'orders'],
      ['spendCents', 'cents'],
    ]),
    currency: 'EUR',
  },
  ...{ spend: 'spendCents', silence: 'recencyDays', clustered: ['orders', 'spendCents'] },
};

/** Customers of one publication: who they are, in which segment, with what figures; no chance in it. */
export interface MadeRun {
  run: ProfiledRun;
  people: number[];
  labels: Uint8Array;
  cents: Float64Array;
}

/**
 * A publication of `size` customers from `first` on in `k` segments.
 *
 * @param turn how far everybody is dealt on, and how much more they have ordered
 */
export function madeRun(
  place: number,
  options: { k: number; size: number; first?: number; turn?: number; title?: string },
): MadeRun {
  const { k, size, first = 0, turn = 0, title = 'Segment' } = options;
  const people = Array.from({ length: size }, (_, i) => first + i);
  // Every seventh goes on to the next segment at each turn, so that all ways are taken.
  const labels = Uint8Array.from(people, (person) => (person % 7 === turn % 7 ? person + turn : person) % k);
  // All segments have somebody, whatever the turn.
  for (let label = 0; label < k; label++) labels[label] = label;
  const orders = Float64Array.from(
    people,
    (person, row) => 1 + ((person * 31) % 9) + labels[row]! + turn / 4,
  );
  const spendCents = orders.map((count, row) => Math.round(count * 1000 * (1 + labels[row]!)));
  const columns = { orders, spendCents };
  const profiles = profileSegments({ columns, labels, k, spend: 'spendCents' });
  const ofLabel = (label: number) =>
    spendCents.filter((_, row) => labels[row] === label).reduce((sum, x) => sum + x, 0);
  const month = (place % 12) + 1;
  const run: ProfiledRun = {
    publicationId: place + 1,
    runId: `run_${place}`,
    kind: 'refit',
    asOf: `${2024 + Math.floor(place / 12)}-${String(month).padStart(2, '0')}-01`,
    version: 1,
    publishedAt: '2026-01-01T00:00:00.000Z',
    verdict: place === 0 ? 'first' : place % 3 === 0 ? 'drifted' : 'stable',
    reasons: [],
    review: null,
    quality: 'reproducible',
    definitionVersion: 1,
    customers: size,
    spendCents: spendCents.reduce((sum, x) => sum + x, 0),
    segments: profiles.segments.map(({ customers, share, spendShare }, label) => ({
      segmentId: `seg_${label}`,
      name: `${title} ${label}`,
      nameStatus: label === 1 && place > 0 ? 'questionable' : 'holds',
      ...{ customers, share, spendShare, spendCents: ofLabel(label) },
    })),
    profiles,
  };
  return { run, people, labels, cents: spendCents };
}

export function flowsBetween(before: MadeRun, after: MadeRun): Flow[] {
  const previousRow = Int32Array.from(after.people, (person) => before.people.indexOf(person));
  const lost = before.people.flatMap((person, row) => (after.people.includes(person) ? [] : [row]));
  const ids = ({ run }: MadeRun) => run.segments.map(({ segmentId }) => segmentId);
  const flows = countFlows({
    join: { previousRow, lost: Int32Array.from(lost), common: previousRow.filter((row) => row >= 0).length },
    previousIds: ids(before),
    currentIds: ids(after),
    previousLabels: before.labels,
    labels: after.labels,
    previousCents: before.cents,
    cents: after.cents,
  });
  return flows.map((flow) =>
    flow.from !== null && flow.to !== null && flow.from !== flow.to
      ? { ...flow, causes: { behaviour: flow.customers - 1, model: 1, border: 0 } }
      : flow,
  );
}

/** A line of publications in which customers come and go; its last segment is born in the second of them. */
export function madeEvolution({
  runs: count,
  k,
  title,
}: {
  runs: number;
  k: number;
  title?: string;
}): EvolutionReport {
  const made = Array.from({ length: count }, (_, place) =>
    madeRun(place, {
      k: place === 0 ? k - 1 : k,
      size: 300 + 10 * place,
      first: 4 * place,
      turn: place,
      ...(title && { title }),
    }),
  );
  const runs = made.map(({ run }) => run);
  return describeEvolution({
    pipeline: 'shop',
    runs,
    definitions: made.map(() => SHOP),
    identities: runs.map(({ segments }, place) => ({
      segments: segments.map(({ segmentId }) => ({
        segmentId,
        parents: place === 1 && segmentId === `seg_${k - 1}` ? ['seg_0'] : place > 0 ? [segmentId] : [],
      })),
    })),
    flows: made.slice(1).map((after, i) => flowsBetween(made[i]!, after)),
    presentNames: new Map([['seg_0', title ? `${title} of old` : 'Renamed segment']]),
    nameHistory: new Map([
      [
        'seg_0',
        [
          { name: 'Segment 0', author: 'auto', reason: 'born', validFrom: '2024-01-01T00:00:00.000Z' },
          {
            name: 'Renamed segment',
            author: 'manual',
            reason: 'we call them so',
            validFrom: '2024-03-01T00:00:00.000Z',
          },
        ],
      ],
    ]),
    words: WORDS,
  });
}
