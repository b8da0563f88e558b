import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeVersion } from '../../scripts/code-version.ts';

describe('the code version', () => {
  let project: string;
  const put = async (file: string, text: string) => {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), text);
  };

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'strata-code-'));
    await put('package-lock.json', '{}');
    for (const folder of ['numeric', 'pipelines', 'activities', 'store/warehouse', 'store/artifacts'])
      await put(`${folder}/deep/code.ts`, 'export {};');
  });
  afterEach(() => rm(project, { recursive: true, force: true }));

  test.each(['package-lock.json', 'store/artifacts/deep/code.ts', 'numeric/new.ts'])(
    'is another one when %s changes, since it makes bytes too',
    async (file) => {
      const before = await codeVersion(project);
      await put(file, 'changed');
      expect(await codeVersion(project)).not.toBe(before);
    },
  );

  test('is the same in every checkout, whatever lies beside the sources', async () => {
    const before = await codeVersion(project);
    await put('numeric/README.md', 'words');
    await put('pipelines/definitions/shop/pipeline.yaml', 'name: shop');
    await put('scripts/start.ts', 'changed');
    expect(await codeVersion(project)).toBe(before);
    const other = `${project}-other`;
    await cp(project, other, { recursive: true });
    expect(await codeVersion(other)).toBe(before);
    await rm(other, { recursive: true });
  });
});
