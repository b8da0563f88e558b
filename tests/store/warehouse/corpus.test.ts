import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isErrorCode } from '../../../pipelines/contracts/errors.ts';
import { openWarehouse, type Warehouse } from '../../../store/warehouse/duckdb.ts';
import type { CorpusCase, Expected, ExpectedError } from './corpus/case.ts';
import { CONTENT_CASES } from './corpus/content-cases.ts';
import { FILE_CASES } from './corpus/file-cases.ts';
import { LINE_CASES } from './corpus/line-cases.ts';
import { type Outcome, readExtract } from './corpus/read-extract.ts';
import { VALUE_CASES } from './corpus/value-cases.ts';
import { digestOfFile } from './fixture.ts';

const FILES = fileURLToPath(new URL('../../fixtures/extracts/', import.meta.url));
const CASES = [...LINE_CASES, ...VALUE_CASES, ...CONTENT_CASES, ...FILE_CASES];
let folder: string;
let shared: Warehouse;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-corpus-'));
  const allowedFolders = [folder, FILES];
  shared = await openWarehouse({ threads: 2, memoryLimitMb: 500, tempFolder: folder, allowedFolders });
});
afterAll(async () => {
  shared.close();
  await rm(folder, { recursive: true, force: true });
});

async function read({ file, make, ...reading }: CorpusCase, threads?: number): Promise<Outcome> {
  const own = await mkdtemp(join(folder, 'case-'));
  const paths = make ? await make(own) : join(FILES, file!);
  const warehouse = threads === undefined ? shared : undefined;
  return readExtract(paths, { ...reading, folder: own, threads, warehouse });
}

describe('an extract of', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { expected } = one;
    if ('code' in expected) return expectError(read(one), expected);
    expectOutcome(await read(one), expected);
  });
});

async function expectError(reading: Promise<Outcome>, expected: ExpectedError) {
  const error = await reading.then(
    () => new Error('was read'),
    (caught) => caught,
  );
  expect(isErrorCode(error.code), String(error.stack)).toBe(true);
  expect(error).toMatchObject({ code: expected.code, message: expect.stringMatching(expected.message) });
  if (expected.without) expect(error.message).not.toMatch(expected.without);
}

function expectOutcome(outcome: Outcome, { accepted, refused = {}, malformed, rows }: Expected) {
  expect({ accepted: outcome.accepted, refused: outcome.refusedBy, malformed: outcome.malformed }).toEqual({
    accepted,
    refused,
    malformed:
      malformed?.map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))) ??
      expect.anything(),
  });
  const all = Object.values(refused).reduce((sum, count) => sum + count, accepted);
  expect(outcome.read).toBe(all);
  if (rows) expect(outcome.rows).toEqual(rows.map((row) => expect.objectContaining(row)));
}

it('has at least 60 cases, and one for each file', async () => {
  expect(CASES.length).toBeGreaterThanOrEqual(60);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  const files = (await readdir(FILES)).filter((name) => !name.startsWith('.'));
  expect(files.filter((name) => !CASES.some(({ file }) => file === name))).toEqual([]);
});

it('freezes an extract with unreadable lines to the same bytes for 1, 2 and 4 threads', async () => {
  const ragged = CASES.find(({ file }) => file === 'ragged.csv')!;
  const digests: string[] = [];
  for (const threads of [1, 2, 4]) digests.push(await digestOfFile((await read(ragged, threads)).extract));
  expect(new Set(digests).size).toBe(1);
});
