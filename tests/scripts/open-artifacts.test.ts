import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { placeOf } from '../../scripts/open-artifacts.ts';
import type { S3Place } from '../../store/artifacts/s3-place.ts';
import { artifactRef } from '../store/postgres/fixture.ts';

const run = promisify(execFile);

/** Modules of the client that are loaded once artifacts are open. */
async function clientModules(s3: S3Place | null): Promise<number> {
  const code = `
    import { createRequire } from 'node:module';
    const { openArtifacts } = await import('./scripts/open-artifacts.ts');
    await import('./scripts/parts.ts');
    await openArtifacts({ artifacts: '/nowhere', home: '/nowhere', s3: ${JSON.stringify(s3)} });
    const { cache } = createRequire(import.meta.url);
    console.log('modules', Object.keys(cache).filter((file) => file.includes('@aws-sdk')).length);
    process.exit(0);
  `;
  const args = ['--import', 'tsx', '--no-warnings', '--input-type=module', '-e', code];
  const { stdout } = await run(process.execPath, args, { cwd: PROJECT_FOLDER });
  return Number(/modules (\d+)/.exec(stdout)![1]);
}

const place: S3Place = {
  ...{ bucket: 'analytics', prefix: 'strata', endpoint: 'http://127.0.0.1:1', region: 'x' },
  credentials: { accessKeyId: 'x', secretAccessKey: 'x', sessionToken: undefined },
};

test('the client of S3 is loaded for a bucket alone', async () => {
  expect(await clientModules(null)).toBe(0);
  expect(await clientModules(place)).toBeGreaterThan(0);
}, 60_000);

test('a person is told a path, or an address that aws s3 cp takes', () => {
  const ref = artifactRef('report');
  expect(placeOf({ artifacts: '/kept', s3: null }, ref)).toBe(`/kept/${ref.uri}`);
  expect(placeOf({ artifacts: 's3://analytics/strata', s3: place }, ref)).toBe(
    `s3://analytics/strata/${ref.uri}`,
  );
});
