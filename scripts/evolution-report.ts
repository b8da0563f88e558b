import colors from 'picocolors';
import type { EvolutionReport, EvolutionStep } from '../pipelines/stages/evolution/evolution.ts';
import { tellChanges } from '../pipelines/stages/evolution/profile-changes.ts';
import { growth } from '../pipelines/stages/evolution/words.ts';
import { formatShare } from '../pipelines/stages/figures.ts';
import { counted, dot, table, thousands } from './terminal.ts';

/** What a person reads of all publications: what changed and why, each step, each segment. */
export function evolutionText(report: EvolutionReport): string {
  const { pipeline, runs, sentences, latest } = report;
  const bold = (text: string) => `\n${colors.bold(text)}`;
  return [
    `${colors.bold(pipeline)}  ${counted(runs.length, 'publication')}, as of ${runs[0]!.asOf} to ${runs.at(-1)!.asOf}`,
    bold('What changed and why'),
    ...sentences.map((sentence, i) => `  ${i + 1} ${sentence}`),
    ...(runs.length > 2
      ? [bold('The latest step'), ...latest.map((sentence) => `  ${dot} ${sentence}`)]
      : []),
    bold('Step by step'),
    stepTable(report),
    bold('Segments'),
    segmentTable(report),
  ].join('\n');
}

function stepTable({ runs, steps }: EvolutionReport): string {
  const rows = steps.map((step) => {
    const { totals, to } = step;
    const { verdict, asOf, customers } = runs[to]!;
    return [
      asOf,
      thousands(customers),
      thousands(totals.new.customers),
      thousands(totals.lost.customers),
      totals.common > 0 ? formatShare(totals.moved / totals.common) : '',
      ...causesOf(step),
      verdict ?? '',
      step.events.join('; '),
    ];
  });
  const titles = [
    'as of',
    'customers',
    'new',
    'lost',
    'moved',
    'behaviour',
    'model',
    'border',
    'verdict',
    '',
  ];
  return table(titles, rows, [1, 2, 3, 4, 5, 6, 7]);
}

function causesOf({ totals: { causes } }: EvolutionStep): string[] {
  if (causes === null) return ['', '', ''];
  return [causes.behaviour, causes.model, causes.border].map((count) => thousands(count));
}

function segmentTable({ segments, runs }: EvolutionReport): string {
  const rows = segments.map(({ name, states, changes, isRetired, names }) => {
    const there = states.flatMap((state, place) => (state ? [{ state, place }] : []));
    const [first, last] = [there[0]!, there.at(-1)!];
    const pair = (before: number, after: number, format: (value: number) => string) =>
      there.length > 1 ? `${format(before)} -> ${format(after)}` : format(before);
    const isThere = last.place === states.length - 1;
    const badge = isThere && last.state.nameStatus === 'questionable' ? ' (?)' : '';
    const until = isThere
      ? ''
      : isRetired
        ? `retired after ${runs[last.place]!.asOf}`
        : `until ${runs[last.place]!.asOf}`;
    const since = first.place === 0 ? '' : `since ${runs[first.place]!.asOf}`;
    const called = new Set(names.map((own) => own.name)).size > 1 ? 'renamed' : '';
    return [
      `${name}${badge}`,
      pair(first.state.customers, last.state.customers, thousands),
      there.length > 1 ? growth(first.state.customers, last.state.customers) : '',
      pair(first.state.share, last.state.share, formatShare),
      [since, until, called, tellChanges(changes, 1)].filter(Boolean).join('; '),
    ];
  });
  return table(['segment', 'customers', '', 'share', ''], rows);
}
