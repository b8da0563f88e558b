import { counted, table, thousands } from '../scripts/terminal.ts';
import { FAULT_KINDS, FAULTS, type FaultKind } from '../tests/helpers/chaos-faults.ts';
import type { ChaosRound, Disturbance } from './chaos-homes.ts';
import { median } from './figures.ts';

export type ChaosTotals = Disturbance & { seconds: number };

export function wrongOf({ wrong, rounds }: ChaosTotals): string[] {
  return [
    ...wrong,
    ...rounds.flatMap((round) => [
      ...round.runs.flatMap((run) =>
        run.wrong.map((line) => `home ${round.home}, run of ${run.asOf}: ${line}`),
      ),
      ...round.wrong.map((line) => `home ${round.home}: ${line}`),
    ]),
  ];
}

export function chaosReport(found: ChaosTotals): string {
  const { rounds, usual, seconds } = found;
  const runs = rounds.flatMap((round) => round.runs);
  const hits = runs.flatMap((run) => run.hits);
  const wrong = wrongOf(found);
  const activities = runs.reduce((sum, run) => sum + run.activities, 0);
  const attempts = runs.reduce((sum, run) => sum + run.attempts, 0);
  const ownEnds = rounds.reduce((sum, round) => sum + round.ownEnds, 0);
  const kinds = FAULT_KINDS.filter((kind) => found.kinds.includes(kind));
  const missing = FAULT_KINDS.filter((kind) => !kinds.includes(kind));
  return [
    ...missing.map((kind) => `left out here: ${FAULTS[kind].says}`),
    byKind(hits, kinds),
    '',
    byPlace(hits, kinds),
    '',
    byWay(rounds),
    '',
    ...[false, true].map((inParts) => {
      const alone = usual.filter((run) => run.inParts === inParts);
      return `a run ${inParts ? 'in parts' : 'as a whole'}, nothing befell it: ${spread(alone)}`;
    }),
    `a run with faults: ${spread(runs)}`,
    `${counted(hits.length, 'fault')} in ${counted(runs.length, 'run')}, ${counted(attempts, 'attempt')} of ${thousands(activities)} activities; ${(seconds / 60).toFixed(0)} min`,
    `workers that ended by themselves and were started again: ${ownEnds}`,
    `differences from the undisturbed runs: ${wrong.length} (aim: 0)`,
    ...wrong.map((line) => `  ${line}`),
  ].join('\n');
}

type Hits = ChaosRound['runs'][number]['hits'];

function byKind(hits: Hits, kinds: readonly FaultKind[]): string {
  const rows = kinds.map((kind) => {
    const recovered = hits.filter((hit) => hit.kind === kind).map(({ recoveredMs }) => recoveredMs);
    const inSeconds = (ms: number) => (recovered.length === 0 ? '–' : (ms / 1_000).toFixed(1));
    return [
      FAULTS[kind].says,
      kind,
      String(recovered.length),
      inSeconds(median(recovered)),
      inSeconds(Math.max(...recovered)),
    ];
  });
  return table(['fault', '', 'times', 'goes on after, median s', 'at most s'], rows, [2, 3, 4]);
}

/** How often which fault fell where. */
function byPlace(hits: Hits, kinds: readonly FaultKind[]): string {
  const places = groupBy(hits, ({ at }) => at);
  const rows = [...places]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([at, own]) => [
      at,
      ...kinds.map((kind) => String(own.filter((hit) => hit.kind === kind).length || '')),
      String(own.length),
    ]);
  const numbers = Array.from({ length: kinds.length + 1 }, (_, i) => i + 1);
  return table(['hit in', ...kinds, 'all'], rows, numbers);
}

function byWay(rounds: readonly ChaosRound[]): string {
  const rows = [...groupBy(rounds, ({ way }) => way)].map(([way, own]) => {
    const runs = own.flatMap((round) => round.runs);
    const hits = runs.reduce((sum, run) => sum + run.hits.length, 0);
    return [way, own.length, runs.length, hits].map(String);
  });
  return table(['homes with', 'homes', 'runs', 'faults'], rows, [1, 2, 3]);
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

function spread(runs: readonly { ms: number }[]): string {
  const ms = runs.map((run) => run.ms);
  return `${(median(ms) / 1_000).toFixed(1)} s (at most ${(Math.max(...ms) / 1_000).toFixed(1)} s)`;
}
