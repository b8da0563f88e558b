import { expect, test } from 'vitest';
import type { Extract } from '../../pipelines/contracts/stages.ts';
import { says } from '../../workflows/summaries.ts';
import { artifactRef } from '../store/postgres/fixture.ts';

const extract: Extract = {
  artifact: artifactRef('extract'),
  asOf: '2026-07-01',
  watermark: '2026-06-30T20:00:00',
  rowsRead: 12_000,
  rowsAfterAsOf: 0,
  ms: 1,
};

test('an extract says how many released rows joined, and nothing of them where there are none or no one knows', () => {
  expect(says.extract({ ...extract, rowsReleased: 1_040 })).toBe(
    '12,000 rows as of 2026-07-01, 1,040 released rows joined',
  );
  expect(says.extract({ ...extract, rowsReleased: 1 })).toMatch(/, 1 released row joined$/);
  expect(says.extract({ ...extract, rowsReleased: 0 })).toBe('12,000 rows as of 2026-07-01');
  // Of a history that was recorded before there were releases.
  expect(says.extract(extract)).toBe('12,000 rows as of 2026-07-01');
});
