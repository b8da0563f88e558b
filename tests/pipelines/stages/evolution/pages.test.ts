import { beforeAll, describe, expect, test } from 'vitest';
import { compareRuns, type DiffInput } from '../../../../pipelines/stages/evolution/diff.ts';
import { renderDiffPage } from '../../../../pipelines/stages/evolution/diff-page.ts';
import { renderEvolutionPage } from '../../../../pipelines/stages/evolution/evolution-page.ts';
import { browserOnPath, openPage, widthsOf } from '../../../helpers/page-in-browser.ts';
import { madeDiff } from './made-diff.ts';
import { madeEvolution } from './made-evolution.ts';

const HOSTILE = '<script>alert(1)</script> & "more"';
const SECTIONS = {
  evolution: ['flows', 'lineage', 'sizes', 'causes', 'figures', 'verdicts', 'names', 'read'],
  diff: ['segments', 'matrix', 'causes', 'figures', 'definition', 'verdict'],
};

const pages: Record<string, { html: string; sections: string[] }> = {};
beforeAll(() => {
  const pageOf = (runs: number, k: number) => renderEvolutionPage(madeEvolution({ runs, k, title: HOSTILE }));
  pages['two runs, three segments'] = { html: pageOf(2, 3), sections: SECTIONS.evolution };
  pages['24 runs, twelve segments'] = { html: pageOf(24, 12), sections: SECTIONS.evolution };
  pages['two runs beside each other'] = {
    html: renderDiffPage(compareRuns(madeDiff({ title: HOSTILE }))),
    sections: SECTIONS.diff,
  };
  const stranger: DiffInput = madeDiff({ first: 5000, title: 'Stranger' });
  pages['two runs without a common customer'] = {
    html: renderDiffPage(compareRuns(stranger)),
    sections: SECTIONS.diff,
  };
});

const NAMES = [
  'two runs, three segments',
  '24 runs, twelve segments',
  'two runs beside each other',
  'two runs without a common customer',
];

describe.each(NAMES)('the page of %s', (name) => {
  test('has all its sections, and no script, no address, nothing to load', () => {
    const { html, sections } = pages[name]!;
    for (const id of sections) expect(html).toContain(`<section id="${id}">`);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|https?:|url\(|@import|\son\w+=/i);
    expect(html).toContain(`default-src 'none'`);
  });

  test('has no mark without a size or a place', () => {
    const { html } = pages[name]!;
    expect(html.replace(/<style>.*?<\/style>/s, '')).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
    expect(html).not.toMatch(/(width|height)="-/);
    expect(html.match(/<svg /g)?.length ?? 0).toBe(
      html.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)?.length ?? 0,
    );
  });

  test('closes its tags', () => {
    const open = new Map<string, number>();
    for (const [, slash, tag, rest] of pages[name]!.html.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/gi)) {
      if (rest!.endsWith('/') || ['meta', 'br'].includes(tag!)) continue;
      open.set(tag!, (open.get(tag!) ?? 0) + (slash ? -1 : 1));
    }
    expect([...open].filter(([, count]) => count !== 0)).toEqual([]);
  });
});

test('names of segments are texts', () => {
  const { html } = pages['two runs, three segments']!;
  expect(html).toContain('&#60;script&#62;');
  expect(html).not.toContain('<script>');
});

test('a segment has one colour in all pictures and in every publication', () => {
  const report = madeEvolution({ runs: 4, k: 3 });
  const html = renderEvolutionPage(report);
  const key = (i: number) => `background:var(--c${i})"></i>${report.segments[i]!.name}`;
  for (const i of [0, 1, 2]) expect(html).toContain(key(i));
  const bandsOf = (i: number) => html.match(new RegExp(`fill="var\\(--c${i}\\)" rx="2"`, 'g'))?.length;
  expect([bandsOf(0), bandsOf(1), bandsOf(2)]).toEqual([4, 4, 3]);
});

test('equal reports give equal bytes', () => {
  const report = madeEvolution({ runs: 3, k: 3 });
  expect(renderEvolutionPage(structuredClone(report))).toBe(renderEvolutionPage(report));
});

const browser = await browserOnPath();

describe.skipIf(browser === null)('in a real browser', () => {
  test.each(NAMES)(
    'the page of %s opens without a complaint, and nothing sticks out at 400 pixels',
    async (name) => {
      const { html, sections } = pages[name]!;
      const { dom, complaints } = await openPage(browser!, html);
      expect(complaints).toEqual([]);
      for (const id of sections) expect(dom).toContain(`<section id="${id}">`);
      const { room, taken } = await widthsOf(browser!, html, 400);
      expect(room).toBeGreaterThan(350);
      expect(taken).toBe(room);
    },
    120_000,
  );
});
