import type { LocaleName, TransformName } from '../contracts/definition.ts';
import type { SourceFormat } from '../contracts/source.ts';
import { type CatalogueFeature, settingOf } from '../stages/feature-catalogue.ts';
import { localeOf } from '../stages/locales/locale.ts';
import { comment, indented, inlineList, scalar } from './yaml-lines.ts';

/** By it a definition that may be drafted again is known from one that a person wrote. */
export const DRAFTED = '# Drafted by `strata init`';

export interface DraftedColumn {
  /** Canonical column, or the name of an attribute. */
  name: string;
  column: string;
  /** In words, why it is this one. */
  why: string;
}

export interface DraftedAttribute {
  name: string;
  column: string;
  type: 'text' | 'number' | 'time' | 'boolean';
}

export interface DraftedSource {
  paths: readonly string[];
  columns: readonly DraftedColumn[];
  attributes: readonly DraftedAttribute[];
  customers: {
    path: string;
    customerId: string;
    attributes: readonly DraftedAttribute[];
    format: SourceFormat;
  } | null;
  format: SourceFormat;
  timezone: string;
}

export interface DraftedPipeline {
  name: string;
  title: string;
  description: string;
  currency: string;
  /** Of every feature; null: nobody is named. */
  owner: string | null;
  /** Of descriptions and of the words in names. */
  locale: LocaleName;
  source: DraftedSource;
  features: readonly CatalogueFeature[];
  /** Features that are clustered, each with its transforms. */
  cluster: readonly { feature: string; transforms: readonly TransformName[] }[];
  stage: { borders: readonly [number, number, number]; why: string };
  value: { borders: readonly [number, number]; why: string };
  /** First lines of the file, in words, after the one that says who drafted it. */
  heading: readonly string[];
}

/** pipeline.yaml, to be read and changed by a person. */
export function pipelineText(draft: DraftedPipeline): string {
  return [
    DRAFTED,
    ...draft.heading.flatMap(comment),
    `pipeline: ${draft.name}`,
    'version: 1',
    `title: ${scalar(draft.title)}`,
    `description: ${scalar(draft.description)}`,
    `currency: ${draft.currency}`,
    'seed: 1',
    '',
    'source:',
    ...indented(sourceLines(draft.source)),
    '',
    'features:',
    ...indented(featureLines(draft)),
    '',
    'clustering:',
    '  k: { min: 3, max: 8 }',
    '  smallestShare: 0.02',
    '',
    'naming:',
    ...indented(namingLines(draft)),
    '',
  ].join('\n');
}

function sourceLines({ paths, columns, attributes, customers, format, timezone }: DraftedSource): string[] {
  const path =
    paths.length === 1
      ? [`path: ${scalar(paths[0]!)}`]
      : ['path:', ...paths.map((one) => `  - ${scalar(one)}`)];
  return [
    'kind: file',
    ...path,
    'columns:',
    ...indented(columns.flatMap(({ name, column, why }) => [...comment(why), `${name}: ${scalar(column)}`])),
    ...(attributes.length === 0 ? [] : ['attributes:', ...indented(attributeLines(attributes))]),
    ...(customers === null ? [] : customersLines(customers)),
    ...formatLines(format),
    "# The zone of the shop's clock: where its days begin, and what a time without a zone means.",
    `timezone: ${timezone}`,
  ];
}

function customersLines(customers: NonNullable<DraftedSource['customers']>): string[] {
  return [
    '# The second table: one row per customer.',
    'customers:',
    ...indented([
      'kind: file',
      `path: ${scalar(customers.path)}`,
      `customer_id: ${scalar(customers.customerId)}`,
      'attributes:',
      ...indented(attributeLines(customers.attributes)),
      ...formatLines(customers.format),
    ]),
  ];
}

function attributeLines(attributes: readonly DraftedAttribute[]): string[] {
  return attributes.map(
    ({ name, column, type }) => `${name}: { column: ${JSON.stringify(column)}, type: ${type} }`,
  );
}

function formatLines(format: SourceFormat): string[] {
  const { encoding, delimiter, times, decimal, missing } = format;
  const lines = [
    ...(encoding ? [`encoding: ${encoding}`] : []),
    ...(delimiter ? [`delimiter: ${scalar(delimiter)}`] : []),
    ...(times ? [`times: ${inlineList(times)}`] : []),
    ...(decimal ? [`decimal: ${JSON.stringify(decimal)}`] : []),
    ...(missing ? [`missing: ${inlineList(missing)}`] : []),
  ];
  return lines.length === 0 ? [] : ['format:', ...indented(lines)];
}

function featureLines({ features, cluster, owner }: DraftedPipeline): string[] {
  const level = (wanted: CatalogueFeature['level']) =>
    features
      .filter((feature) => feature.level === wanted)
      .flatMap((feature) => {
        const settings = { ...settingOf(feature), ...(owner !== null && { owner }) };
        const [first, ...rest] = Object.entries(settings).map(([key, value]) => settingLine(key, value));
        return [`- ${first}`, ...indented(rest)];
      });
  return [
    'aggregate:',
    ...indented(level('aggregate')),
    'derive:',
    ...indented(level('derive')),
    '# What tells customers apart: when they last bought, how often, for how much.',
    'cluster:',
    ...cluster.flatMap(({ feature, transforms }) => [
      `  - feature: ${feature}`,
      `    transforms: ${inlineList(transforms)}`,
    ]),
  ];
}

function settingLine(key: string, value: string | number): string {
  const text = typeof value === 'string' ? value.replace(/\s*\n\s*/g, ' ') : value;
  return `${key}: ${scalar(text)}`;
}

function namingLines({ locale, stage, value, features }: DraftedPipeline): string[] {
  const { vocabulary } = localeOf(locale);
  const [first, second, third, fourth] = vocabulary.stage;
  const [modest, middling, large] = vocabulary.value;
  const [active, cooling, lapsing] = stage.borders;
  const [low, high] = value.borders;
  const traits = features.flatMap(({ name, trait }) => {
    if (trait === undefined) return [];
    const words = Object.entries(vocabulary.traits[name] ?? trait).map(
      ([side, word]) => `${side}: ${scalar(word)}`,
    );
    return [`- { feature: ${name}, ${words.join(', ')} }`];
  });
  return [
    ...(locale === 'en' ? [] : [`locale: ${locale}`]),
    ...comment(
      `${stage.why} Days, not shares of the list: a name must not change because others came or went.`,
    ),
    ...comment(
      'Raise the version with every change of a border or a word: each name says by which version it was given.',
    ),
    'stage:',
    '  feature: recencyDays',
    '  version: 1',
    '  bands:',
    `    - { word: ${first}, below: ${active} }`,
    `    - { word: ${second}, atLeast: ${active}, below: ${cooling} }`,
    `    - { word: ${third}, atLeast: ${cooling}, below: ${lapsing} }`,
    `    - { word: ${fourth}, atLeast: ${lapsing} }`,
    ...comment(value.why),
    'value:',
    '  feature: spend',
    '  version: 1',
    '  bands:',
    `    - { word: ${modest}, below: ${low} }`,
    `    - { word: ${middling}, atLeast: ${low}, below: ${high} }`,
    `    - { word: ${large}, atLeast: ${high} }`,
    ...(traits.length === 0 ? [] : ['traits:', ...indented(traits)]),
    'spend: spendCents',
  ];
}
