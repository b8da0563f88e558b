import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listDefinitions, loadDefinition } from '../../store/definitions.ts';

const DEFINITIONS = join(import.meta.dirname, '../../pipelines/definitions');
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-definitions-'));
  await cp(join(DEFINITIONS, 'online-retail'), join(root, 'online-retail'), { recursive: true });
  await mkdir(join(root, 'half'));
  await writeFile(join(root, 'half', 'pipeline.yaml'), 'pipeline: half\n');
  await mkdir(join(root, 'notes'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

it('loads a definition with the text of both its files', async () => {
  const { definition, files } = await loadDefinition(root, 'online-retail');
  expect(definition.pipeline).toBe('online-retail');
  expect(files.pipeline).toContain('pipeline: online-retail');
  expect(files.contract).toContain('without-customer');
});

it('counts a folder as a pipeline only when it has a pipeline.yaml', async () => {
  expect(await listDefinitions(root)).toEqual(['half', 'online-retail']);
});

it.each(['nope', '', '..', '../definitions/online-retail', 'online-retail/', '/etc', 'online-retail\0'])(
  'refuses the name %j with the names there are',
  async (name) => {
    await expect(loadDefinition(root, name)).rejects.toMatchObject({
      code: 'PIPELINE_UNKNOWN',
      message: expect.stringContaining('half, online-retail'),
    });
  },
);

it('names the file that a definition lacks', async () => {
  await expect(loadDefinition(root, 'half')).rejects.toMatchObject({
    code: 'DEFINITION_INVALID',
    message: expect.stringContaining('needs a contract.yaml'),
  });
});

it('takes a definition from the first folder that has it, and says which other one it stands before', async () => {
  const both = [root, DEFINITIONS];
  const own = await loadDefinition(both, 'online-retail');
  expect(own).toMatchObject({
    folder: join(root, 'online-retail'),
    hides: join(DEFINITIONS, 'online-retail'),
  });
  expect(await loadDefinition(both, 'shop')).toMatchObject({
    folder: join(DEFINITIONS, 'shop'),
    hides: null,
  });
  expect(await listDefinitions(both)).toEqual(['half', 'online-retail', 'shop']);
});

it('finds the definitions that come with Strata while the folder of one’s own is not there yet', async () => {
  expect(await listDefinitions([join(root, 'later'), DEFINITIONS])).toEqual(['online-retail', 'shop']);
});

it('refuses a file in the place of a folder of definitions', async () => {
  await expect(listDefinitions(join(root, 'half', 'pipeline.yaml'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('STRATA_DEFINITIONS'),
  });
});
