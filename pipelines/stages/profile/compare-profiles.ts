import { stabilityOfCounts } from '../../../numeric/statistics/psi.ts';
import { formatNumber, formatShare } from '../figures.ts';
import { SEVERITIES, type Severity } from './issues.ts';
import {
  type ColumnProfile,
  type FigureProfile,
  PROFILE_VERSION,
  type ProfileReport,
  shareOf,
  type WordProfile,
} from './report.ts';

/** The difference from an earlier profile of the same pipeline. The report itself knows nothing of it. */
export interface ProfileChanges {
  since: { runId: string; asOf: string | null };
  /** Why nothing could be compared; null when it was. */
  missing: string | null;
  /** Worst first; empty when nothing that matters has changed. */
  findings: Change[];
}

export interface Change {
  code: string;
  where: string | null;
  what: string;
  severity: Severity;
}

/** Shares that differ by so much. */
const NOTED = 0.01;
const LARGE = 0.05;
/** Counts that differ by so much of the earlier one. */
const MOVED = 0.1;
const JUMPED = 0.5;
const SHRUNK = 0.05;
/** A word of so many rows is worth a line when it is new. */
const WORD_SHARE = 0.01;
const MOST_WORDS = 5;

/** @param previous the JSON of the earlier report, whatever it is */
export function compareProfiles(
  previous: unknown,
  current: ProfileReport,
  since: ProfileChanges['since'],
): ProfileChanges {
  if (!isProfile(previous)) {
    return {
      since,
      missing: `its profile has another form than version ${PROFILE_VERSION}, which is compared`,
      findings: [],
    };
  }
  const findings = [
    ...sizeChanges(previous, current),
    ...ruleChanges(previous, current),
    ...timeChanges(previous, current),
    ...columnChanges(previous, current),
  ];
  const rank = ({ severity }: Change) => SEVERITIES.indexOf(severity);
  return { since, missing: null, findings: findings.sort((a, b) => rank(a) - rank(b)) };
}

function isProfile(value: unknown): value is ProfileReport {
  return value !== null && typeof value === 'object' && Reflect.get(value, 'profile') === PROFILE_VERSION;
}

function change(code: string, severity: Severity, what: string, where: string | null = null): Change {
  return { code, severity, what, where };
}

function sizeChanges(previous: ProfileReport, current: ProfileReport): Change[] {
  const counts = [
    ['rows', previous.rows, current.rows],
    ['customers', previous.customers, current.customers],
  ] as const;
  const found = counts.flatMap(([name, before, after]) => {
    const ratio = before === 0 ? Number(after > 0) : after / before - 1;
    const isSerious = ratio <= -SHRUNK || Math.abs(ratio) >= JUMPED;
    if (!isSerious && Math.abs(ratio) < MOVED) return [];
    const how = `${formatShare(Math.abs(ratio))} ${ratio < 0 ? 'fewer' : 'more'} ${name}`;
    return change(
      `${name}-changed`,
      isSerious ? 'serious' : 'note',
      `${how}: ${formatNumber(before)} then, ${formatNumber(after)} now`,
    );
  });
  return [
    ...found,
    ...shareChange(
      'refused-share',
      'rows refused by the contract',
      shareOf(previous.rows - previous.accepted, previous.rows),
      shareOf(current.rows - current.accepted, current.rows),
    ),
    ...shareChange(
      'duplicate-share',
      'rows that repeat an earlier one',
      shareOf(previous.duplicates.exact.rows, previous.rows),
      shareOf(current.duplicates.exact.rows, current.rows),
    ),
  ];
}

function shareChange(
  code: string,
  what: string,
  before: number,
  after: number,
  where: string | null = null,
): Change[] {
  const difference = Math.abs(after - before);
  if (difference < NOTED) return [];
  const severity = difference >= LARGE ? 'serious' : 'look';
  return [change(code, severity, `${what}: ${formatShare(before)} then, ${formatShare(after)} now`, where)];
}

function ruleChanges(previous: ProfileReport, current: ProfileReport): Change[] {
  const before = new Map(previous.rules.map((rule) => [rule.name, rule]));
  return current.rules.flatMap((rule) => {
    const old = before.get(rule.name);
    if (!old) return change('rule-new', 'note', `rule ${rule.name} is new`, rule.name);
    return shareChange(
      'rule-share',
      `rows that break rule ${rule.name}`,
      shareOf(old.rows, previous.rows),
      shareOf(rule.rows, current.rows),
      rule.name,
    );
  });
}

function timeChanges(previous: ProfileReport, current: ProfileReport): Change[] {
  const found: Change[] = [];
  if (previous.to !== null && current.to !== null && current.asOf > previous.asOf) {
    if (current.to <= previous.to) {
      found.push(
        change(
          'no-newer-rows',
          'serious',
          `the newest order is from ${current.to}, no later than the last time (${previous.to})`,
        ),
      );
    }
  }
  if (previous.from !== current.from) {
    found.push(
      change(
        'first-day',
        (current.from ?? '') > (previous.from ?? '') ? 'look' : 'note',
        `the first order is from ${current.from ?? 'no day'}, last time it was ${previous.from ?? 'no day'}`,
      ),
    );
  }
  const known = new Set((previous.coverage?.gaps ?? []).map(({ from }) => from));
  const gaps = (current.coverage?.gaps ?? []).filter(({ from }) => !known.has(from));
  if (gaps.length > 0) {
    const [first] = gaps;
    found.push(
      change(
        'new-gaps',
        'look',
        `${gaps.length} stretches without rows that were not there, the longest from ${first!.from} to ${first!.to}`,
      ),
    );
  }
  return found;
}

function columnChanges(previous: ProfileReport, current: ProfileReport): Change[] {
  const before = new Map(previous.columns.map((column) => [column.name, column]));
  const names = new Set(current.columns.map(({ name }) => name));
  const lost = previous.columns
    .filter(({ name }) => !names.has(name))
    .map(({ name }) => change('column-lost', 'serious', 'the column is not there any more', name));
  const changed = current.columns.flatMap((column) => {
    const old = before.get(column.name);
    if (!old) return [change('column-new', 'look', 'the column is new', column.name)];
    const missing = shareChange(
      'missing-share',
      'missing values',
      shareOf(old.missing, previous.rows),
      shareOf(column.missing, current.rows),
      column.name,
    );
    return [...missing, ...contentChanges(old, column)];
  });
  return [...lost, ...changed];
}

function contentChanges(old: ColumnProfile, column: ColumnProfile): Change[] {
  if (old.type !== column.type)
    return [change('column-type', 'look', `was of type ${old.type}, is ${column.type}`, column.name)];
  if (old.kind === 'figure' && column.kind === 'figure') return figureChanges(old, column);
  if (old.kind === 'word' && column.kind === 'word') return wordChanges(old, column);
  return [];
}

/** PSI over the bins, which are the same for every extract, and what the middle half did. */
function figureChanges(old: FigureProfile, column: FigureProfile): Change[] {
  if (old.counted === 0 || column.counted === 0) return [];
  const [before, after] = [quartilesOf(old), quartilesOf(column)];
  const shown = (values: readonly number[]) => values.map((value) => formatNumber(value)).join(' / ');
  const quartiles = `quartiles ${shown(before)} then, ${shown(after)} now`;
  if (old.isWhole !== column.isWhole) {
    // Their bins differ: what is left to look at are the quartiles.
    const hasMoved = before.some((value, i) => Math.abs(after[i]! - value) > JUMPED * Math.abs(value));
    const what = `${column.isWhole ? 'now only whole numbers' : 'no longer only whole numbers'}: ${quartiles}`;
    return [change('distribution-moved', hasMoved ? 'serious' : 'look', what, column.name)];
  }
  const edges = [...new Set([...old.bins, ...column.bins].map(({ from }) => from))];
  const countsOf = ({ bins }: FigureProfile) => {
    const rows = new Map(bins.map((bin) => [bin.from, bin.rows]));
    return edges.map((edge) => rows.get(edge) ?? 0);
  };
  const { psi, magnitude } = stabilityOfCounts(countsOf(old), countsOf(column));
  if (magnitude === 'none') return [];
  return [
    change(
      'distribution-moved',
      magnitude === 'major' ? 'serious' : 'look',
      `the distribution has moved (PSI ${formatNumber(psi)}): ${quartiles}`,
      column.name,
    ),
  ];
}

function quartilesOf({ quantiles }: FigureProfile): number[] {
  return [25, 50, 75].map((percent) => quantiles.find((own) => own.percent === percent)?.value ?? 0);
}

function wordChanges(old: WordProfile, column: WordProfile): Change[] {
  const all = ({ words, otherRows }: WordProfile) =>
    words.reduce((sum, { rows }) => sum + rows, 0) + otherRows;
  const [before, after] = [all(old), all(column)];
  if (before === 0 || after === 0) return [];
  const known = new Map(old.words.map(({ word, rows }) => [word, rows]));
  const now = new Map(column.words.map(({ word, rows }) => [word, rows]));
  const list = (words: readonly { word: string }[]) =>
    words
      .slice(0, MOST_WORDS)
      .map(({ word }) => JSON.stringify(word))
      .join(', ');
  const fresh = column.words.filter(({ word, rows }) => !known.has(word) && rows >= WORD_SHARE * after);
  const gone = old.words.filter(({ word, rows }) => !now.has(word) && rows >= WORD_SHARE * before);
  // Of a column with more words than are listed, one that is not in the list may have been there.
  const isNew = old.otherRows === 0 ? 'new words' : 'new among the most frequent words';
  const isGone = column.otherRows === 0 ? 'words that are gone' : 'no longer among the most frequent words';
  return [
    ...(fresh.length > 0 ? [change('new-words', 'look', `${isNew}: ${list(fresh)}`, column.name)] : []),
    ...(gone.length > 0 ? [change('lost-words', 'look', `${isGone}: ${list(gone)}`, column.name)] : []),
    ...mixChange(column, { known, now, before, after }),
  ];
}

function mixChange(
  { name }: WordProfile,
  {
    known,
    now,
    before,
    after,
  }: {
    known: ReadonlyMap<string, number>;
    now: ReadonlyMap<string, number>;
    before: number;
    after: number;
  },
): Change[] {
  // Only words that both lists hold can be compared; all others are the rest.
  const both = [...known.keys()].filter((word) => now.has(word));
  const countsOf = (words: ReadonlyMap<string, number>, rows: number) => {
    const counts = both.map((word) => words.get(word)!);
    return [...counts, rows - counts.reduce((sum, count) => sum + count, 0)];
  };
  const { psi, magnitude } = stabilityOfCounts(countsOf(known, before), countsOf(now, after));
  if (both.length === 0 || magnitude === 'none') return [];
  const moved = both
    .map((word) => ({ word, by: now.get(word)! / after - known.get(word)! / before }))
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by))[0]!;
  const share = (words: ReadonlyMap<string, number>, rows: number) =>
    formatShare(words.get(moved.word)! / rows);
  return [
    change(
      'mix-moved',
      magnitude === 'major' ? 'serious' : 'look',
      `the mix has moved (PSI ${formatNumber(psi)}), most ${JSON.stringify(moved.word)}: ${share(known, before)} then, ${share(now, after)} now`,
      name,
    ),
  ];
}
