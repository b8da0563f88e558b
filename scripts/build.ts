import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENCODED_FAILURES } from './codec/data-converter.ts';
import { readConfig } from './config.ts';
import { BUILD_FILE, describeBuild } from './deploy/build-id.ts';
import { errorText } from './error-text.ts';
import { createLog } from './log.ts';
import { BUILD_FOLDER, bundleName, makeBundle, writeBundle } from './workflow-bundle.ts';

// `npm run build`: what a worker would make at its start, for an image whose disk cannot be written and that has no git.

/** With and without a version, traces and keys: which one a worker needs, its environment says. */
const VARIANTS = [{}, { isVersioned: true }]
  .flatMap((variant) => [variant, { ...variant, isTraced: true }])
  .flatMap((variant) => [variant, { ...variant, failureConverterPath: ENCODED_FAILURES }]);

try {
  const config = readConfig();
  const log = createLog({ level: config.logLevel });
  const build = await describeBuild(config);
  const step = log.step('Bundling the workflows');
  await rm(BUILD_FOLDER, { recursive: true, force: true });
  await mkdir(BUILD_FOLDER);
  for (const variant of VARIANTS)
    await writeBundle(join(BUILD_FOLDER, await bundleName(variant)), await makeBundle(variant));
  await writeFile(join(BUILD_FOLDER, BUILD_FILE), `${JSON.stringify(build, null, 2)}\n`);
  step.done(`version ${build.buildId}`);
} catch (error) {
  console.error(errorText(error));
  process.exitCode = 1;
}
