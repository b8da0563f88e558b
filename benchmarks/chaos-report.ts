import { bar, counted, percent, table, thousands } from '../scripts/terminal.ts';
import { FAULTS, type FaultKind } from '../tests/helpers/chaos-faults.ts';
import type { Round } from '../tests/helpers/chaos-round.ts';
import { median } from './figures.ts';

export interface ChaosTotals {
  seconds: number;
  usual: { asOf: string; ms: number }[];
  rounds: Round[];
  /** Those that could be caused on this machine. */
  kinds: FaultKind[];
}

const BAR_WIDTH = 24;

export function wrongOf({ rounds }: ChaosTotals): string[] {
  return rounds.flatMap(({ runs, wrong }) => [
    ...runs.flatMap((run) => run.wrong.map((line) => `run of ${run.asOf}: ${line}`)),
    ...wrong,
  ]);
}

export function chaosReport(found: ChaosTotals): string {
  const runs = found.rounds.flatMap((round) => round.runs);
  const hits = runs.flatMap((run) => run.hits);
  const wrong = wrongOf(found);
  const activities = runs.reduce((sum, run) => sum + run.activities, 0);
  const attempts = runs.reduce((sum, run) => sum + run.attempts, 0);
  const ownEnds = found.rounds.reduce((sum, round) => sum + round.ownEnds, 0);
  const missing = (Object.keys(FAULTS) as FaultKind[]).filter((kind) => !found.kinds.includes(kind));
  return [
    ...missing.map((kind) => `left out here: ${FAULTS[kind].says}`),
    byKind(hits, found.kinds),
    '',
    byPlace(hits),
    '',
    `a run: ${secondsOf(found.usual.map(({ ms }) => ms))} undisturbed, ${secondsOf(runs.map(({ ms }) => ms))} with faults`,
    `${counted(runs.length, 'run')}, ${counted(found.rounds.length, 'home')}, ${counted(attempts, 'attempt')} of ${thousands(activities)} activities`,
    `workers that ended by themselves and were started again: ${ownEnds}`,
    `differences from the undisturbed runs: ${wrong.length} (aim: 0)`,
    ...wrong.map((line) => `  ${line}`),
  ].join('\n');
}

type Hits = Round['runs'][number]['hits'];

function byKind(hits: Hits, kinds: readonly FaultKind[]): string {
  const rows = kinds.map((kind) => {
    const own = hits.filter((hit) => hit.kind === kind);
    const recovered = own.map(({ recoveredMs }) => recoveredMs);
    const inSeconds = (ms: number) => (ms / 1_000).toFixed(1);
    return [
      FAULTS[kind].says,
      String(own.length),
      own.length === 0 ? '–' : inSeconds(median(recovered)),
      own.length === 0 ? '–' : inSeconds(Math.max(...recovered)),
    ];
  });
  return table(['fault', 'times', 'goes on after, median s', 'at most s'], rows, [1, 2, 3]);
}

function byPlace(hits: Hits): string {
  const places = new Map<string, number>();
  for (const { at } of hits) places.set(at, (places.get(at) ?? 0) + 1);
  const most = Math.max(...places.values());
  const rows = [...places]
    .sort(([, a], [, b]) => b - a)
    .map(([at, times]) => [at, String(times), percent(times / hits.length), bar(times / most, BAR_WIDTH)]);
  return table(['hit in', 'times', 'share', ''], rows, [1, 2]);
}

function secondsOf(ms: readonly number[]): string {
  return `${(median(ms) / 1_000).toFixed(1)} s (at most ${(Math.max(...ms) / 1_000).toFixed(1)} s)`;
}
