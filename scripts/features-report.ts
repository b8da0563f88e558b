import colors from 'picocolors';
import {
  type Dictionary,
  type DictionaryEntry,
  nullRuleText,
  windowText,
} from '../pipelines/stages/dictionary.ts';
import { dictionaryFormat, introduction, roles } from '../pipelines/stages/dictionary-page.ts';
import { type FigureFormat, formatFigure } from '../pipelines/stages/figures.ts';
import { table } from './terminal.ts';

const METER = 10;
const MISSING = '–';

/** What a person reads in a terminal: a line per feature, then where the rest of it is. */
export function featuresReport(dictionary: Dictionary, files: Record<string, string | undefined>): string {
  const { features, run } = dictionary;
  const format = dictionaryFormat(dictionary);
  const isOwned = features.some(({ owner }) => owner !== null);
  const titles = [
    'feature',
    'unit',
    'window',
    'no value',
    'rests on',
    'used',
    ...(isOwned ? ['owner'] : []),
    ...(run ? ['1 %', 'median', '99 %', 'tells apart'] : []),
  ];
  const rows = features.map((entry) => [
    entry.name,
    entry.unit,
    entry.windowDays === null ? 'all' : windowText(entry),
    nullRuleText(entry),
    restsOn(entry),
    roles(entry.lineage),
    ...(isOwned ? [entry.owner ?? MISSING] : []),
    ...(run ? figuresOf(entry, format) : []),
  ]);
  const written = Object.entries(files).filter(([, file]) => file !== undefined);
  const lines = [
    `${colors.bold(dictionary.title)}  ${introduction(dictionary)}`,
    '',
    table(
      titles,
      rows,
      titles.flatMap((title, i) => (IS_FIGURE.has(title) ? [i] : [])),
    ),
    ...(run
      ? [
          '',
          colors.dim(
            'tells apart: share of the differences between customers, in ranks, that lies between the segments; 0 = none, 1 = all',
          ),
        ]
      : []),
    ...(written.length > 0 ? ['', ...written.map(([kind, file]) => `${colors.dim(kind)}  ${file}`)] : []),
  ];
  return lines.join('\n');
}

/** Features where there are any, else columns of the source. */
function restsOn({ lineage }: DictionaryEntry): string {
  const { features, columns } = lineage;
  return (features.length > 0 ? features : columns.map(({ source }) => source)).join(', ');
}

function figuresOf({ name, live }: DictionaryEntry, format: FigureFormat): string[] {
  if (live === null) return [MISSING, MISSING, MISSING, MISSING];
  const figures = ['0.01', '0.5', '0.99'].map((share) => formatFigure(name, live.quantiles[share]!, format));
  return [...figures, live.separation === null ? MISSING : meter(live.separation)];
}

function meter(share: number): string {
  const filled = Math.round(share * METER);
  return `${'█'.repeat(filled)}${'░'.repeat(METER - filled)} ${share.toFixed(2)}`;
}

const IS_FIGURE = new Set(['no value', '1 %', 'median', '99 %']);
