import { describe, expect, test } from 'vitest';
import type { ProfileReport } from '../../../pipelines/stages/profile.ts';
import { renderProfilePage } from '../../../pipelines/stages/profile-page.ts';

const REPORT: ProfileReport = {
  title: 'Books & <more>',
  currency: 'GBP',
  asOf: '2026-04-01',
  rows: 1_200,
  watermark: '2026-03-31T23:59:00',
  accepted: 900,
  acceptedAmount: 45_678.9,
  from: '2026-02-01',
  to: '2026-03-31',
  customers: 412,
  orders: 780,
  months: [
    { month: '2026-02', rows: 500, accepted: 400, acceptedAmount: 20_000 },
    { month: '2026-03', rows: 700, accepted: 500, acceptedAmount: -25.5 },
  ],
  rowsBefore: 3,
  week: Array.from({ length: 7 }, (_, day) => Array.from({ length: 24 }, (_, hour) => day * hour)),
  rules: [
    { name: 'without-customer', severity: 'reject', reason: 'nobody <b>can</b> be found', rows: 300 },
    { name: 'late', severity: 'warn', reason: 'the line came late', rows: 0 },
  ],
  unreadable: [{ column: 'quantity', rows: 2 }],
  columns: [
    { kind: 'identifier', name: 'customer_id', missing: 300, distinct: 412 },
    {
      kind: 'time',
      name: 'ordered_at',
      missing: 0,
      first: '2026-02-01T08:00:00',
      last: '2026-03-31T22:00:00',
    },
    {
      ...{ kind: 'figure', name: 'quantity', missing: 2, distinct: 3, least: -1, most: 6, mean: 2.5 },
      ...{ negative: 10, zero: 0, quantiles: [{ percent: 50, value: 2 }] },
      bins: [
        { from: -1, rows: 10 },
        { from: 2, rows: 900 },
        { from: 6, rows: 288 },
      ],
    },
    {
      ...{ kind: 'word', name: 'category', missing: 0, distinct: 30 },
      words: [{ word: '<script>alert(1)</script>', rows: 800 }],
      otherRows: 400,
    },
  ],
  notes: ['Counts are exact.'],
};

const page = renderProfilePage(REPORT);

/** Texts of the page as a reader sees them. */
function visible(html: string): string {
  return html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('renderProfilePage', () => {
  test('says what it is about, the dates, the currency and the main figures', () => {
    const text = visible(page);
    for (const part of [
      'as of 2026-04-01',
      'Orders from 2026-02-01 to 2026-03-31',
      'GBP',
      '1,200',
      '25 %',
      '£45,679',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('3 rows are older than what is shown');
    expect(text).toContain('2 in quantity');
  });

  test('holds no script, no address and nothing to load', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|https?:|url\(|@import|\son\w+=/i);
    expect(page).toContain(`default-src 'none'`);
  });

  test('shows texts of the data as texts', () => {
    expect(page).toContain('Books &#38; &#60;more&#62;');
    expect(page).not.toContain('<b>can</b>');
    expect(page).toContain('&#60;script&#62;');
  });

  test('has a plot with a description for the months, the week, each figure and each word', () => {
    const labels = [...page.matchAll(/<svg [^>]*aria-label="([^"]+)"/g)].map(([, label]) => label);
    expect(labels).toEqual([
      'Rows per month, accepted and refused',
      'Accepted sales per month',
      'Rows by weekday and hour',
      'Distribution of quantity',
      'Rows by category',
    ]);
    expect(page).toContain('2026-03: 500 accepted, 200 refused');
    expect(page).toContain('from 2 to below 3: 900 rows');
  });

  test('empty bins between full ones are drawn as gaps', () => {
    // -1, 0, 1, 2, 3, 4, 5, 6
    expect(page.match(/<title>[^<]* to below [^<]*: [\d,]+ rows<\/title>/g)?.length).toBe(8);
  });

  test('no mark has a size or a place that is not a number', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|null/);
    expect(page).not.toMatch(/(width|height)="-/);
  });

  test('tags are closed', () => {
    const open = new Map<string, number>();
    for (const [, slash, tag, rest] of page.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/gi)) {
      if (rest!.endsWith('/') || ['meta'].includes(tag!)) continue;
      open.set(tag!, (open.get(tag!) ?? 0) + (slash ? -1 : 1));
    }
    expect([...open].filter(([, count]) => count !== 0)).toEqual([]);
  });

  test('a report of nothing is a page too', () => {
    const none = renderProfilePage({
      ...REPORT,
      ...{ rows: 0, accepted: 0, acceptedAmount: 0, from: null, to: null, customers: 0, orders: 0 },
      ...{ months: [], rowsBefore: 0, week: REPORT.week.map((hours) => hours.map(() => 0)), unreadable: [] },
      columns: REPORT.columns.map((column) => (column.kind === 'figure' ? { ...column, bins: [] } : column)),
    });
    expect(visible(none)).toContain('No order has a date that can be read');
    expect(none).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('equal reports give equal bytes', () => {
    expect(renderProfilePage(structuredClone(REPORT))).toBe(page);
  });
});
