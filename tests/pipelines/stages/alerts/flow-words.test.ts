import { expect, test } from 'vitest';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';
import { measured, settingsOf } from './fixture.ts';

const settings = settingsOf({ rules: [{ name: 'flow', kind: 'flow', segments: ['seg_a'] }] });

/** A month in which so many of a segment of 1,000 go to another one and from the shop. */
const month = (i: number, [moved, lost]: [moved: number, lost: number]) =>
  measured(i, {
    sizes: { seg_a: 1000, seg_b: 1000 },
    ways: [
      ['seg_a', 'seg_b', moved],
      ['seg_a', null, lost],
    ],
  });

const weather = [0, 4, -3, 2, -5, 3];
const past = weather.map((more, i) => month(i, [300 + more, 100 - more]));

test.each([
  ['move', [500, 100], /went other ways than usual, most to “Group b”: 500 instead of about 300/],
  ['stay', [100, 100], /did other than usual, most stayed: 800 instead of about 600/],
  // They may be back in the next extract.
  [
    'are missing',
    [300, 300],
    /went other ways than usual, most are not in this run: 300 instead of about 100/,
  ],
] as const)('when more %s than usual, the title says so', (_, [moved, lost], words) => {
  const found = findAlerts(month(7, [moved, lost]), { past, settings, currency: 'EUR' });
  expect(found.map(({ title }) => title)).toEqual([expect.stringMatching(words)]);
});
