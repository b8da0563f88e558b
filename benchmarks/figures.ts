import { writeFile } from 'node:fs/promises';

/** Seconds and peak memory of one stage of one run. */
export interface StageFigures {
  stage: string;
  seconds: number;
  peakMegabytes: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Writes what a benchmark found, where `--json` names a file for it. */
export async function keepFigures(file: string | undefined, found: object): Promise<void> {
  if (file) await writeFile(file, `${JSON.stringify(found, null, 2)}\n`);
}

export function milliseconds(seconds: number, digits = 1): string {
  return `${(seconds * 1000).toFixed(digits)} ms`;
}

/** One line of a table: the first cell, a name, to the left of its width, the figures to the right of theirs. */
export function tableRow(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('');
}

const BAR_WIDTH = 30;

/** A line per stage: median seconds with a bar, in brackets the first run's, and the highest peak. */
export function stageTable(runs: readonly (readonly StageFigures[])[]): string {
  const stages = runs[0]!.map(({ stage }) => stage);
  const of = (stage: string) => runs.flatMap((run) => run.filter((figures) => figures.stage === stage));
  const medians = stages.map((stage) => median(of(stage).map(({ seconds }) => seconds)));
  const longest = Math.max(...medians);
  const lines = stages.map((stage, i) => {
    const first = runs[0]![i]!.seconds;
    const peak = Math.max(...of(stage).map(({ peakMegabytes }) => peakMegabytes));
    const bar = '█'.repeat(Math.round((medians[i]! / longest) * BAR_WIDTH));
    return `${stage.padEnd(10)} ${medians[i]!.toFixed(2).padStart(7)} s (${first.toFixed(2).padStart(6)})  ${String(Math.round(peak)).padStart(6)} MB  ${bar}`;
  });
  return lines.join('\n');
}
