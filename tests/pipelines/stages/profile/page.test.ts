import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProfileChanges } from '../../../../pipelines/stages/profile/compare-profiles.ts';
import { renderProfilePage } from '../../../../pipelines/stages/profile/page.ts';
import type { ProfileReport } from '../../../../pipelines/stages/profile/report.ts';
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

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

async function browserOnPath(): Promise<string | null> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const path of folders.flatMap((folder) => BROWSERS.map((name) => join(folder, name)))) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

const browser = await browserOnPath();
if (browser === null)
  console.warn(`no browser of ${BROWSERS.join(', ')} on PATH: the page is not opened in one`);

describe.skipIf(browser === null)('the page in a real browser', () => {
  /** The page's DOM, and what the browser had to say, at a width of 400 pixels. */
  async function open(html: string): Promise<{ dom: string; log: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'strata-page-'));
    try {
      const file = join(folder, 'page.html');
      await writeFile(file, html);
      const options = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
      const { stdout, stderr } = await promisify(execFile)(
        browser!,
        [
          ...options,
          ...['--disable-background-networking', `--user-data-dir=${join(folder, 'profile')}`],
          ...['--enable-logging=stderr', '--v=0', '--dump-dom', pathToFileURL(file).href],
        ],
        { maxBuffer: 2 ** 26, timeout: 60_000 },
      );
      return { dom: stdout, log: stderr };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  const complaints = (log: string) => log.split('\n').filter((line) => line.includes('CONSOLE'));

  test('opens without a complaint, with all its sections', async () => {
    const { dom, log } = await open(page);
    expect(complaints(log)).toEqual([]);
    for (const id of ['changes', 'issues', 'rules', 'time', 'columns', 'correlations', 'readiness', 'made'])
      expect(dom).toContain(`<section id="${id}">`);
  }, 90_000);

  test('fits into a screen of 400 pixels: nothing sticks out to the right', async () => {
    // A frame is as wide as it is told to be, whatever the smallest window of the browser is; a script of the
    // frame's parent measures, which the page itself would not let run.
    const framed = `<!doctype html><iframe id="page" style="width:400px;height:900px;border:0" srcdoc="${page
      .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
      .replaceAll('&', '&amp;')
      .replaceAll('"', '&quot;')}"></iframe>
<script>addEventListener('load', () => { const inner = document.getElementById('page').contentDocument;
for (const details of inner.querySelectorAll('details')) details.open = true;
document.body.dataset.room = inner.documentElement.clientWidth; document.body.dataset.taken = inner.documentElement.scrollWidth; });</script>`;
    const { dom, log } = await open(framed);
    expect(complaints(log)).toEqual([]);
    const widthOf = (name: string) => Number(new RegExp(`data-${name}="(\\d+)"`).exec(dom)?.[1]);
    expect(widthOf('room')).toBeGreaterThan(350);
    expect(widthOf('taken')).toBe(widthOf('room'));
  }, 90_000);
});
