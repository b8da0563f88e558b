import { describe, expect, test } from 'vitest';
import { renderComparisonPage } from '../../../pipelines/stages/compare-page.ts';
import { madeEntrant, madeFit, madeGrid, madeReport } from '../../helpers/made-comparison.ts';

const entrants = () => [
  madeGrid(),
  madeEntrant('random-groups', [madeFit({ above: 0, minJaccard: 0.1 })]),
  madeEntrant('k-means', [madeFit({ k: 3 }), madeFit({ k: 4, above: 2 })]),
  madeEntrant('ward', [], { reason: 'needs <more> memory' }),
  madeEntrant('hdbscan', [madeFit({ askedK: null, noiseShare: 0.4 })]),
];

describe('the page', () => {
  const page = renderComparisonPage(madeReport(entrants()));

  test('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import/i);
    expect(page.replace(/http-equiv/g, '')).not.toMatch(/https?:/);
    expect(page).toContain("default-src 'none'");
    expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
  });

  test('is the same for the same report', () => {
    expect(renderComparisonPage(madeReport(entrants()))).toBe(page);
  });

  test('text from the definition and from errors is text, not markup', () => {
    expect(page).not.toContain('<b>low</b>');
    expect(page).not.toContain('<more>');
    expect(page).toContain('Made &#38; made');
  });

  test('every plot says what it shows, and no figure in it is broken', () => {
    const plots = [...page.matchAll(/<svg [^>]*>/g)].map(([tag]) => tag);
    expect(plots.length).toBeGreaterThan(8);
    for (const tag of plots) expect(tag).toMatch(/aria-label="[^"]+"/);
    const body = page.slice(page.indexOf('<body>'));
    expect(body.match(/NaN|Infinity|undefined|>null|null</)).toBeNull();
  });

  test('all parts of the report are there, and each says on how many customers', () => {
    for (const heading of [
      'Leaderboard',
      'Scores by number of segments',
      'How large are the segments?',
      'Are the same segments found again?',
      'Do the candidates agree?',
      'What does it cost?',
      'For and against, on these customers',
      'How this was measured',
    ])
      expect(page).toContain(`<h2>${heading}</h2>`);
    expect(page).toContain('On 600 of 600 customers');
  });

  test('the leaderboard marks the recommended candidate, and nobody when nothing passes', () => {
    const board = (own: ReturnType<typeof madeFit>) => {
      const html = renderComparisonPage(madeReport([madeEntrant('k-means', [own])]));
      return html.slice(html.indexOf('<h2>Leaderboard'), html.indexOf('<h2>Scores'));
    };
    expect(board(madeFit())).toContain('<tr class="first"><td>1</td><td>k-means');
    expect(board(madeFit({ smallestShare: 0.001 }))).toContain('<tr><td>1</td><td>k-means');
  });

  test('a comparison in which nothing was measured is a page, too', () => {
    const report = madeReport([madeEntrant('k-means', [], { reason: 'out of memory' })]);
    const empty = renderComparisonPage({ ...report, shown: null });
    expect(empty).toContain('No reproducible segmentation');
    expect(empty).toContain('out of memory');
    expect(empty.match(/NaN|Infinity|undefined/)).toBeNull();
  });
});
