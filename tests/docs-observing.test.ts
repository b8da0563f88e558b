import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { METRICS, type MetricDefinition } from '../scripts/observe/catalogue.ts';
import { LOG_FIELDS } from '../scripts/observe/json-log.ts';
import { metricsAsked, metricsIn, readAlertRules, readDashboard } from './helpers/dashboard.ts';

const page = readFileSync(join(PROJECT_FOLDER, 'docs/observing.md'), 'utf8');
const { panels, templating, ...dashboard } = await readDashboard();
const rules = await readAlertRules();
const drawn = panels.filter(({ type }) => type !== 'row');
const COLUMNS = 24;

/** As Prometheus keeps it: a histogram is three. */
const seriesOf = ([name, { kind }]: [string, MetricDefinition]) =>
  kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
const series = new Map(
  Object.entries<MetricDefinition>(METRICS).flatMap((entry) =>
    seriesOf(entry).map((name) => [name, entry] as const),
  ),
);

describe('the page', () => {
  test('tells each metric with its labels, and no other', () => {
    const told = [...page.matchAll(/^\| `(strata_\w+)`\s*\| ([^|]*?)\s*\|/gm)];
    const labels = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, label]) => label);
    expect(Object.fromEntries(told.map(([, name, text]) => [name, labels(text!)]))).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { labels: own }]) => [name, [...own]])),
    );
  });

  test('says of each alert what to do, and of no other', () => {
    const told = [...page.matchAll(/^\| `(Strata\w+)`/gm)].map(([, name]) => name);
    expect(told).toEqual(rules.map(({ alert }) => alert));
  });

  test('tells each field of a line of the log', () => {
    for (const field of LOG_FIELDS) expect(page).toContain(`\`${field}\``);
  });
});

describe('the dashboard', () => {
  test('is one that Grafana takes: numbered panels that do not lie on one another, over one data source', () => {
    expect(dashboard).toMatchObject({ title: 'Strata', uid: 'strata', schemaVersion: expect.any(Number) });
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w, title).toBeLessThanOrEqual(COLUMNS);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.has(`${column},${line}`), title).toBe(false);
          taken.add(`${column},${line}`);
        }
      }
    }
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['pipeline', 'query'],
    ]);
  });

  test.each(drawn.map((panel) => [panel.title, panel] as const))('%s', (_, { description, targets = [] }) => {
    expect(description).toMatch(/\.$/);
    expect(targets.length).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (const { expr, datasource } of targets) {
      expect(datasource.uid).toBe('$' + '{datasource}');
      expect(metricsIn(expr).length).toBeGreaterThan(0);
    }
  });

  test('each of its variables is one that it has', () => {
    const known = ['__rate_interval', ...templating.list.map(({ name }) => name)];
    const used = JSON.stringify(panels).matchAll(/\$\{?(\w+)/g);
    expect([...new Set([...used].map(([, name]) => name))].filter((name) => !known.includes(name!))).toEqual(
      [],
    );
  });

  test('shows every metric of ours', async () => {
    const asked = new Set(await metricsAsked());
    const unseen = Object.entries<MetricDefinition>(METRICS).filter(
      (entry) => !seriesOf(entry).some((name) => asked.has(name)),
    );
    expect(unseen.map(([name]) => name)).toEqual([]);
  });
});

describe('panels and alerts', () => {
  const asked = [
    ...drawn.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ];

  test.each(asked)('%s asks for metrics that are there, by labels that they have: %s', (_, expr) => {
    const ours = metricsIn(expr).filter((name) => name.startsWith('strata_'));
    for (const name of ours) expect([...series.keys()]).toContain(name);
    for (const [, name, matchers] of expr.matchAll(/(strata_\w+)\{([^}]*)\}/g)) {
      const labels = [...matchers!.matchAll(/(\w+)\s*[=!]~?"?/g)].map(([, label]) => label);
      expect(labels.length).toBeGreaterThan(0);
      for (const label of labels) expect(series.get(name!)![1].labels).toContain(label);
    }
    if (ours.length === 0) return;
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(/,\s*/));
    // Of a histogram, and of the scrape.
    const known = ['le', 'instance', 'job', ...ours.flatMap((name) => series.get(name)![1].labels)];
    for (const label of grouped) expect(known).toContain(label);
  });

  test('an alert tells, by labels that it keeps, what is wrong; a page wakes somebody', () => {
    for (const { alert, expr, labels, annotations } of rules) {
      expect(['page', 'ticket'], alert).toContain(labels.severity);
      for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
        expect(/by \(([^)]*)\)/.exec(expr)?.[1], alert).toContain(label);
      }
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});
