import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInstalled, lacksOptionalOnly } from '../../../scripts/set-up/install.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'strata-install-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const LOCKED = {
  '': { version: '1.0.0' },
  'node_modules/one': { version: '1.0.0' },
  'node_modules/for-another-platform': { version: '2.0.0', optional: true },
};

test('a checkout without node_modules is not installed', () => {
  writeLockfile(LOCKED);
  expect(isInstalled(root)).toBe(false);
});

test('packages that somebody installed by hand are accepted, missing optional ones too', () => {
  writeLockfile(LOCKED);
  writeInstalled({ 'node_modules/one': { version: '1.0.0' } });
  expect(isInstalled(root)).toBe(true);
});

test.each([
  ['another version', { 'node_modules/one': { version: '0.9.0' } }],
  ['a missing package', {}],
])('%s is not installed', (_, installed) => {
  writeLockfile(LOCKED);
  writeInstalled(installed);
  expect(isInstalled(root)).toBe(false);
});

test('a lockfile that changes after an install asks for another one', () => {
  writeLockfile(LOCKED);
  writeInstalled({ 'node_modules/one': { version: '1.0.0' } });
  expect(isInstalled(root)).toBe(true);
  writeLockfile({ ...LOCKED, 'node_modules/two': { version: '1.0.0' } });
  expect(isInstalled(root)).toBe(false);
});

function writeLockfile(packages: object): void {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
}

function writeInstalled(packages: object): void {
  mkdirSync(join(root, 'node_modules'));
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
}

test('a lockfile without the binaries of other platforms is told from one that does not fit', () => {
  const locked = {
    'node_modules/tool': { version: '1.0.0', optionalDependencies: { '@tool/for-mac': '1.0.0' } },
  };
  const head = 'npm error code EUSAGE\nnpm error\n';
  expect(lacksOptionalOnly(`${head}npm error Missing: @tool/for-mac@ from lock file\n`, locked)).toBe(true);
  expect(lacksOptionalOnly(`${head}npm error Missing: @tool/for-mac@1.0.0 from lock file\n`, locked)).toBe(
    true,
  );
  expect(lacksOptionalOnly(`${head}npm error Missing: other@1.0.0 from lock file\n`, locked)).toBe(false);
  const invalid = "npm error Invalid: lock file's tool@1.0.0 does not satisfy tool@2.0.0\n";
  expect(
    lacksOptionalOnly(`${head}npm error Missing: @tool/for-mac@1.0.0 from lock file\n${invalid}`, locked),
  ).toBe(false);
  expect(lacksOptionalOnly('npm error code ECONNREFUSED', locked)).toBe(false);
});
