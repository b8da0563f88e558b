import colors from 'picocolors';
import type { NameVersion } from '../store/postgres/name-versions.ts';
import type { Changed } from './names-change.ts';
import type { ListedSegment } from './names-list.ts';
import { counted, dot, percent, table, tableLines, thousands } from './terminal.ts';

const COMMAND = 'npm run strata -- names';
const AUTOMATIC = 'automatic';

/** Pipelines with their segments; below them what is to be decided. */
export function listReport(segments: readonly ListedSegment[]): string {
  if (segments.length === 0) return 'no segment is published yet; npm start publishes those of a pipeline';
  const pipelines = [...new Set(segments.map(({ pipeline }) => pipeline))];
  return pipelines
    .map((pipeline) => pipelineReport(segments.filter((segment) => segment.pipeline === pipeline)))
    .join('\n\n');
}

function pipelineReport(segments: readonly ListedSegment[]): string {
  const { pipeline, runId } = segments[0]!;
  const rows = segments.map((segment) => [
    segment.name,
    thousands(segment.customers),
    percent(segment.share),
    segment.status,
    segment.since.slice(0, 'YYYY-MM-DD'.length),
    byOf(segment),
    String(segment.version),
    segment.segmentId,
  ]);
  const titles = ['segment', 'customers', 'share', 'name', 'since', 'by', 'version', 'id'];
  const [title, ...lines] = tableLines(titles, rows, [1, 2, 6]);
  const drawn = lines.map((line, i) =>
    segments[i]!.status === 'holds' ? line : line.replace(' questionable ', colors.yellow(' questionable ')),
  );
  const head = `${colors.bold(pipeline)} ${counted(segments.length, 'segment')}, published with ${colors.dim(runId)}`;
  const doubts = segments.filter(({ status }) => status === 'questionable').flatMap(doubtOf);
  return [head, title!, ...drawn, ...(doubts.length > 0 ? ['', ...doubts] : [])].join('\n');
}

function doubtOf({ name, segmentId, doubt, proposal }: ListedSegment): string[] {
  const why = doubt ?? 'its figures do not back it; the next run proposes another';
  const own = `${COMMAND} set ${segmentId} "NAME" --because "WHY"`;
  const lines = [`${colors.yellow('?')} ${colors.bold(name)} ${why}`];
  if (proposal) {
    lines.push(`  ${dot} today it would be called "${proposal.name}": ${COMMAND} accept ${segmentId}`);
    lines.push(colors.dim(`  · or: ${own}`));
  } else {
    lines.push(colors.dim(`  · to give it one: ${own}`));
  }
  return lines;
}

/** What a person did to a name, and how to undo it. */
export function changeReport({ pipeline, segmentId, name, previous, isNew }: Changed): string {
  const { version, since, reason } = name;
  if (!isNew) {
    return `${segmentId} of ${pipeline} is called "${name.name}" already: since ${minute(since)} by ${byOf(name)} (${reason})`;
  }
  const was = previous ? `, no more "${previous.name}"` : '';
  const then =
    name.author === 'manual'
      ? 'every run keeps it, until a person says otherwise'
      : 'every run keeps it, and says when its figures no longer back it';
  const lines = [
    `${colors.green('✓')} ${segmentId} of ${pipeline} is called ${colors.bold(`"${name.name}"`)}${was} (version ${version})`,
    `  ${dot} readers see it from now on; ${then}`,
  ];
  // Who replaces a colleague's name without having seen it learns whose it was.
  if (previous?.givenBy && previous.givenBy !== name.givenBy)
    lines.push(
      `  ${dot} ${byOf(previous)} had called it "${previous.name}" since ${minute(previous.since)} (${previous.reason})`,
    );
  if (previous) lines.push(colors.dim(`  · to undo it: ${COMMAND} revert ${segmentId} ${previous.version}`));
  return lines.join('\n');
}

/** Newest first. */
export function historyReport({
  segmentId,
  names,
}: {
  segmentId: string;
  names: readonly NameVersion[];
}): string {
  const rows = names
    .toReversed()
    .map((version) => [
      String(version.version),
      version.name,
      minute(version.since),
      version.until === null ? 'now' : minute(version.until),
      byOf(version),
      version.reason,
    ]);
  const isRetired = names.every(({ until }) => until !== null);
  const head = `${colors.bold(segmentId)}${isRetired ? ' has retired' : ''}`;
  return `${head}\n${table(['version', 'name', 'from', 'to (UTC)', 'by', 'why'], rows, [0])}`;
}

function byOf({ author, givenBy }: { author: 'auto' | 'manual'; givenBy: string | null }): string {
  if (givenBy === null) return AUTOMATIC;
  return author === 'auto' ? `${AUTOMATIC}, ${givenBy}` : givenBy;
}

function minute(iso: string): string {
  return iso.slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ');
}
