import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProfileChanges } from '../../../../pipelines/stages/profile/compare-profiles.ts';
import { renderProfilePage } from '../../../../pipelines/stages/profile/page.ts';
import type { ProfileReport } from '../../../../pipelines/stages/profile/report.ts';
import { browserOnPath, openPage, widthsOf } from '../../../helpers/page-in-browser.ts';
import { type WarehouseFixture, warehouseFixture } from '../../../store/warehouse/fixture.ts';
import { profileOf, shopSql } from './fixture.ts';

const SCRIPT = '<script>alert(1)</script>';
const CHANGES: ProfileChanges = {
  since: { runId: 'books-1', asOf: '2026-03-01' },
  missing: null,
  findings: [{ code: 'new-words', where: 'category', what: `new words: "${SCRIPT}"`, severity: 'look' }],
};

let fixture: WarehouseFixture;
let report: ProfileReport;
let page: string;
beforeAll(async () => {
  fixture = await warehouseFixture();
  const hostile = `(SELECT * REPLACE (CASE WHEN hash(order_id) % 9 = 0 THEN '${SCRIPT}' ELSE country END AS country,
    CASE WHEN hash(order_id, 1) % 50 = 0 THEN -quantity ELSE quantity END AS quantity), hash(customer_id) % 3 = 0 AS "a-b&c" FROM ${shopSql()})`;
  report = { ...(await profileOf(await fixture.open(), hostile)), title: 'Books & <more>' };
  page = renderProfilePage(report, CHANGES);
});
afterAll(() => fixture.remove());

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
      `Orders from ${report.from} to ${report.to}`,
      'EUR',
      '6,000',
      '300',
    ])
      expect(text).toContain(part);
  });

  test('holds no script, no address and nothing to load', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|https?:|url\(|@import|\son\w+=/i);
    expect(page).toContain(`default-src 'none'`);
  });

  test('shows texts of the data as texts', () => {
    expect(page).toContain('Books &#38; &#60;more&#62;');
    expect(page).toContain('&#60;script&#62;');
    expect(page).toContain('a-b&#38;c');
  });

  test('begins with what changed, where a run was published before', () => {
    expect(page.indexOf('id="changes"')).toBeLessThan(page.indexOf('id="issues"'));
    expect(visible(page)).toContain('run books-1, as of 2026-03-01');
    expect(renderProfilePage(report)).not.toContain('id="changes"');
    const gone = renderProfilePage(report, { ...CHANGES, missing: 'it is gone', findings: [] });
    expect(visible(gone)).toContain('it is gone');
  });

  test('every plot has a description, and there is one for months, week, figures, words and features', () => {
    expect(page.match(/<svg /g)!.length).toBe(page.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)!.length);
    for (const label of [
      'Rows per month, accepted and refused',
      'Accepted sales per month',
      'Rows by weekday and hour',
      'Distribution of quantity',
      'Rows by category',
      'Correlations between the figures',
      'spend, as it is',
    ])
      expect(page).toContain(`aria-label="${label}"`);
  });

  test('every issue stands there with its proposal', () => {
    for (const { line } of report.issues.filter((issue) => issue.line !== null))
      expect(page).toContain(`<code>${line!.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)}</code>`);
  });

  test('no mark has a size or a place that is not a number', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
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

  test('a report of nothing is a page too', async () => {
    const none = renderProfilePage(
      await profileOf(await fixture.open(), `(SELECT * FROM ${shopSql()} WHERE false)`),
    );
    expect(visible(none)).toContain('No order has a date that can be read');
    expect(none).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('equal reports give equal bytes', () => {
    expect(renderProfilePage(structuredClone(report), structuredClone(CHANGES))).toBe(page);
  });
});

const browser = await browserOnPath();

describe.skipIf(browser === null)('the page in a real browser', () => {
  test('opens without a complaint, with all its sections', async () => {
    const { dom, complaints } = await openPage(browser!, page);
    expect(complaints).toEqual([]);
    for (const id of ['changes', 'issues', 'rules', 'time', 'columns', 'correlations', 'readiness', 'made'])
      expect(dom).toContain(`<section id="${id}">`);
  }, 90_000);

  test('fits into a screen of 400 pixels: nothing sticks out to the right', async () => {
    const { room, taken, complaints } = await widthsOf(browser!, page, 400);
    expect(complaints).toEqual([]);
    expect(room).toBeGreaterThan(350);
    expect(taken).toBe(room);
  }, 90_000);
});
