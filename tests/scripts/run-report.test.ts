import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { whereToLook } from '../../scripts/run-report.ts';
import { artifactRef } from '../store/postgres/fixture.ts';

let artifacts: string;
beforeAll(async () => {
  artifacts = await mkdtemp(join(tmpdir(), 'strata-report-'));
});
afterAll(() => rm(artifacts, { recursive: true, force: true }));

const artifact = { ...artifactRef('report'), uri: 'page.html' };
const stages = [{ stage: 'profile' as const, ms: 1, artifact, digests: {} }];
const address = 'http://ui/run';

test('the page of a profile is told while it is kept, and not when it was let go', async () => {
  expect(whereToLook({ stages }, { artifacts, address })).toEqual({ run: address });
  await writeFile(join(artifacts, 'page.html'), '<p>');
  expect(whereToLook({ stages }, { artifacts, address })).toEqual({
    run: address,
    profile: join(artifacts, 'page.html'),
  });
  expect(whereToLook({ stages: [] }, { artifacts, address })).toEqual({ run: address });
});
