import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Definition } from '../../../pipelines/contracts/definition.ts';
import { type Dictionary, featureDictionary, nullRuleText } from '../../../pipelines/stages/dictionary.ts';
import { catalogueMarkdown } from '../../../pipelines/stages/dictionary-catalogue.ts';
import { renderDictionaryPage } from '../../../pipelines/stages/dictionary-page.ts';
import { featuresReport } from '../../../scripts/features-report.ts';
import { loadDefinition } from '../../../store/definitions.ts';

const ROOT = join(import.meta.dirname, '../../..');

let definition: Definition;
let bare: Dictionary;
let live: Dictionary;
beforeAll(async () => {
  const loaded = await loadDefinition(join(ROOT, 'pipelines/definitions'), 'shop');
  const { features } = loaded.definition;
  const gap = { name: 'gapMeanDays', sql: 'sum(gap_days) / count(gap_days)', over: 'orders' as const };
  const aggregate = [...features.aggregate, { ...gap, unit: 'days', why: 'A test.', whenMissing: 365 }];
  definition = { ...loaded.definition, features: { ...features, aggregate } };
  bare = await featureDictionary(definition, null);
  const rows = 300;
  const column = (of: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => of(row));
  live = await featureDictionary(definition, {
    runId: 'run_1',
    asOf: '2026-07-01',
    segments: [{ name: 'Active high-value <b>' }, { name: 'Lapsed mid-value bulk buyers' }],
    labels: Uint8Array.from({ length: rows }, (_, row) => row % 2),
    values: {
      recencyDays: column((row) => (row % 2) * 1_000 + row),
      orders: column((row) => row >> 1),
      gapMeanDays: column((row) => (row < 100 ? 365 : 7)),
      holidayShare: column(() => 0),
    },
  });
});

const entry = (dictionary: Dictionary, name: string) =>
  dictionary.features.find((feature) => feature.name === name)!;

describe('the dictionary', () => {
  test('has every feature of the definition, without a run too', () => {
    const { aggregate, derive } = definition.features;
    expect(bare.features.map(({ name }) => name)).toEqual([...aggregate, ...derive].map(({ name }) => name));
    expect(bare.run).toBeNull();
    for (const { live: figures, why, unit, formula } of bare.features) {
      expect(figures).toBeNull();
      expect(why && unit && formula).toBeTruthy();
    }
    expect(renderDictionaryPage(bare)).toContain('No run is published yet');
    expect(featuresReport(bare, {})).toContain('No run is published yet');
  });

  test('shows owners in a terminal where a feature has one', () => {
    const linesFor = (owner: string | null) => {
      const features = bare.features.map((feature, i) => ({ ...feature, owner: i === 0 ? owner : null }));
      return stripVTControlCharacters(featuresReport({ ...bare, features }, {})).split('\n');
    };
    expect(linesFor(null)[2]).toMatch(/ used$/);
    expect(linesFor('growth').slice(2, 5)).toEqual([
      expect.stringMatching(/ owner$/),
      expect.stringMatching(/ growth$/),
      expect.stringMatching(/ –$/),
    ]);
  });

  test('follows a feature from the column of the source to the segments', () => {
    expect(entry(live, 'itemsPerOrder').lineage).toEqual({
      columns: [
        { column: 'order_id', source: 'order_number' },
        { column: 'quantity', source: 'quantity' },
      ],
      features: ['items', 'orders'],
      usedBy: [],
      clustered: ['log1p', 'standard'],
      naming: ['trait'],
      segments: ['Lapsed mid-value bulk buyers'],
    });
    const { columns, naming, segments, usedBy } = entry(live, 'spendCents').lineage;
    expect(columns).toEqual([{ column: 'amount', source: 'quantity × unit_price' }]);
    expect(naming).toEqual(['spend']);
    expect(segments).toEqual([]);
    expect(usedBy).toEqual(['spend', 'averageOrderCents']);
    expect(entry(live, 'recencyDays').lineage.segments).toHaveLength(2);
  });

  test('says grain, null rule, owner and version', () => {
    expect(entry(bare, 'gapMeanDays')).toMatchObject({
      over: 'orders',
      whenMissing: 365,
      version: 1,
      owner: null,
    });
    expect(entry(bare, 'recencyDays')).toMatchObject({ over: 'lines', whenMissing: 0, owner: 'CRM' });
    expect(nullRuleText(entry(bare, 'gapMeanDays'))).toBe('365 days');
  });

  test('has figures of the published run, and how far a feature tells the segments apart', () => {
    expect(live.run).toMatchObject({ runId: 'run_1', customers: 300 });
    const recency = entry(live, 'recencyDays').live!;
    // Ranks 1..150 against 151..300: 1 - (n² - 4) / (4 (n² - 1)) of the variance lies between, n = 300.
    expect(recency.separation).toBeCloseTo(0.75, 4);
    expect(recency.histogram.reduce((sum, count) => sum + count)).toBe(300);
    expect(entry(live, 'orders').live!.separation).toBeLessThan(0.01);
    expect(entry(live, 'gapMeanDays').live).toMatchObject({ atNullRule: 100, min: 7, max: 365 });
    expect(entry(live, 'holidayShare').live).toMatchObject({ separation: 0, histogram: [300] });
    // Defined since the run.
    expect(entry(live, 'spend').live).toBeNull();
  });

  test('as a page loads nothing, escapes everything and is the same each time', () => {
    const page = renderDictionaryPage(live);
    expect(page).not.toMatch(/<script|src=|@import|url\(/);
    expect(page).toContain('Active high-value &#60;b&#62;');
    expect(page).not.toContain('high-value <b>');
    for (const { name } of live.features) expect(page).toContain(`id="${name}"`);
    expect(renderDictionaryPage(live)).toBe(page);
  });

  test('as a table has a line per feature, each line of one width of columns', () => {
    const lines = featuresReport(live, { HTML: '/x/features.html' }).split('\n');
    for (const { name } of live.features)
      expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
    expect(lines.at(-1)).toContain('/x/features.html');
  });
});

test('docs/features.md has the catalogue as it is', async () => {
  // The formatter pads tables and leaves lines between blocks.
  const plain = (text: string) =>
    text
      .replace(/ +/g, ' ')
      .replace(/\| ?-+ ?(?=\|)/g, '|---')
      .replace(/\n{2,}/g, '\n')
      .trim();
  const page = await readFile(join(ROOT, 'docs/features.md'), 'utf8');
  const generated = page.split('<!-- Below is generated; a test compares. -->')[1] ?? '';
  expect(plain(generated)).toBe(plain(catalogueMarkdown()));
});
