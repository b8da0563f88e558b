import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../../migrations/index.ts';
import { PROJECT_FOLDER, VARIABLES_READ, variablesSet } from '../../../scripts/config.ts';
import { doctorCommand, examine } from '../../../scripts/doctor/command.ts';
import { variablesOf } from '../../../scripts/doctor/definitions.ts';
import { type Finding, findingsOf } from '../../../scripts/doctor/finding.ts';
import { environmentProbe } from '../../../scripts/doctor/machine.ts';
import { schema } from '../../../scripts/doctor/postgres.ts';
import { doctorReport } from '../../../scripts/doctor/report.ts';

let folder: string;
let home: string;

/** A server that takes connections and never says a word. */
let silent: Server;
const sockets = new Set<Socket>();
let silentAt: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-doctor-'));
  silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentAt = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const given = { STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_DEFINITIONS: '' };
  const unset = { TEMPORAL_ADDRESS: '', TEMPORAL_CLI_PATH: '', STRATA_ARTIFACTS: '' };
  for (const [name, value] of Object.entries({ ...given, ...unset })) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());

/** On a machine that others use, too, a probe may take long: what hangs is tested with a time of its own. */
const PATIENT_MS = 60_000;

/** What `strata doctor` prints and ends with. */
async function doctor(...args: string[]): Promise<{ code: number; out: string }> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  let code = -1;
  const command = doctorCommand((given) => {
    code = given;
  }, PATIENT_MS);
  await command.parseAsync(args, { from: 'user' }).finally(() => print.mockRestore());
  return { code, out: stripVTControlCharacters(printed.join('\n')) };
}

const of = (findings: Finding[], area: string) => findings.filter((finding) => finding.area === area);
const broken = (findings: Finding[]) => findings.filter(({ state }) => state === 'broken');

describe('with nothing running', () => {
  test('it says how to start it, finds nothing broken, and leaves the home as it was', async () => {
    const findings = await examine(PATIENT_MS);
    expect(broken(findings)).toEqual([]);
    expect(of(findings, 'PostgreSQL')).toMatchObject(
      [
        {
          state: 'warning',
          says: expect.stringMatching(/none is running.*installed/),
          wayOut: [/npm start/],
        },
      ].map((each) => ({ ...each, wayOut: [expect.stringMatching(/npm start/)] })),
    );
    expect(of(findings, 'Temporal')[0]).toMatchObject({
      ...{ state: 'warning', says: expect.stringMatching(/^none is running/) },
      wayOut: [expect.stringMatching(/npm start/)],
    });
    expect(of(findings, 'pipelines')[0]).toMatchObject({ state: 'ok', says: 'online-retail, shop: valid' });
    expect(of(findings, 'kernels')).toMatchObject([{ state: 'ok' }]);
    expect(await readdir(home)).toEqual([]);
  });

  test('the command ends with 0, prints no value of a variable, and writes what it found', async () => {
    vi.stubEnv('STRATA_THREADS', '1');
    vi.stubEnv('STRATA_HOEM', 'a-secret-value');
    const { code, out } = await doctor('--json', 'found.json');
    expect(code).toBe(0);
    expect(out).toMatch(/✓ nothing is broken/);
    expect(out).toMatch(/set: .*STRATA_THREADS/);
    expect(out).toMatch(/! STRATA_HOEM is set, and nobody reads it/);
    const text = await readFile(join(folder, 'found.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ isBroken: false });
    expect(out + text).not.toContain('a-secret-value');
    expect(await readdir(home)).toEqual([]);
  });
});

describe('what is broken', () => {
  test('servers that hang are found, side by side, each within its time', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', silentAt);
    vi.stubEnv('STRATA_DATABASE_URL', `postgres://strata:a-secret@${silentAt}/strata`);
    const startedAt = performance.now();
    const findings = await examine(1_500);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    const noAnswer = [{ state: 'broken', says: 'no answer within 1.5 s' }];
    expect(of(findings, 'Temporal')).toMatchObject(noAnswer);
    expect(of(findings, 'PostgreSQL')).toMatchObject(noAnswer);
    expect(of(findings, 'Temporal')[0]!.wayOut!.join()).toContain('TEMPORAL_ADDRESS');
    expect(JSON.stringify(findings)).not.toContain('a-secret');
  });

  test('a server that was started here and is gone is told with its log', async () => {
    const gone = { pid: 999_999_999, startedAt: 'long ago', port: 1 };
    const state = { owners: [], services: { temporal: gone, postgres: gone } };
    await writeFile(join(home, 'services.json'), JSON.stringify(state));
    const findings = await examine(PATIENT_MS);
    for (const area of ['Temporal', 'PostgreSQL']) {
      expect(of(findings, area)).toMatchObject([
        { state: 'warning', says: 'the server of this home (process 999999999) has ended' },
      ]);
      expect(of(findings, area)[0]!.wayOut!.join()).toMatch(/npm start brings it back.*\.log/);
    }
    await rm(join(home, 'services.json'));
  });

  test('a bad variable is named, and the machine is looked at all the same', async () => {
    vi.stubEnv('STRATA_THREADS', 'many');
    const findings = await examine(PATIENT_MS);
    expect(broken(findings)).toMatchObject([
      { area: 'environment', says: expect.stringMatching(/STRATA_THREADS must be a whole number/) },
    ]);
    expect(of(findings, 'machine')[0]).toMatchObject({ state: 'ok', says: expect.stringMatching(/^Node /) });
  });

  test('an artifacts folder that is a file, and a definition with a fault, each with the way out', async () => {
    const [file, definitions] = [join(folder, 'a-file'), join(folder, 'definitions')];
    await writeFile(file, '');
    await mkdir(join(definitions, 'mine'), { recursive: true });
    await writeFile(join(definitions, 'mine', 'pipeline.yaml'), 'version: 1');
    vi.stubEnv('STRATA_ARTIFACTS', join(file, 'artifacts'));
    vi.stubEnv('STRATA_DEFINITIONS', definitions);
    const findings = broken(await examine(PATIENT_MS));
    expect(findings).toMatchObject([
      { area: 'artifacts', says: expect.stringMatching(/a-file is a file/) },
      { area: 'pipelines', says: expect.stringMatching(/mine/), wayOut: ['mend the files of mine'] },
    ]);
    expect(existsSync(join(file, 'artifacts'))).toBe(false);
  });

  test('the command ends with 1', async () => {
    vi.stubEnv('STRATA_THREADS', 'many');
    expect((await doctor()).code).toBe(1);
  });
});

test('a probe that breaks is a finding', async () => {
  const probe = {
    ...{ area: 'x', wayOut: ['mend it'] },
    look: () => Promise.reject(new Error('boom\nat somewhere')),
  };
  expect(await findingsOf(probe, 1_000)).toEqual([
    { area: 'x', state: 'broken', says: 'boom', wayOut: ['mend it'] },
  ]);
});

test('each finding is a line under its area, with what to do below it', () => {
  const findings: Finding[] = [
    { area: 'machine', state: 'ok', says: 'Node 22' },
    { area: 'machine', state: 'warning', says: 'little memory', wayOut: ['buy some', 'or wait'] },
    { area: 'home', state: 'broken', says: 'full', wayOut: ['make room'] },
  ];
  expect(stripVTControlCharacters(doctorReport(findings)).split('\n')).toEqual([
    ...['machine  ✓ Node 22', '         ! little memory', '           → buy some', '           → or wait'],
    ...['home     ✗ full', '           → make room', '', '✗ 1 thing is broken, 1 thing to know'],
  ]);
  expect(stripVTControlCharacters(doctorReport(findings.slice(0, 1)))).toMatch(/\n✓ nothing is broken$/);
});

test('migrations that are pending, and those of newer code, are told apart', () => {
  const names = migrations.map(({ name }) => name);
  expect(schema(names)).toMatchObject({ state: 'ok' });
  expect(schema([])).toMatchObject({ state: 'warning', says: 'no schema yet' });
  expect(schema(names.slice(0, -1))).toMatchObject({
    state: 'warning',
    says: `1 migration pending: ${names.at(-1)}`,
  });
  expect(schema([...names, '9999_later'])).toMatchObject({
    state: 'broken',
    says: 'the schema is newer than this code: 9999_later',
  });
});

test('the variables that a definition reads its addresses from are found wherever they are', () => {
  const definition = {
    source: { urlFrom: 'SHOP_URL', query: 'select a_From' },
    alerts: { channels: [{ smtpFrom: 'SHOP_SMTP' }, { urlFrom: 'SHOP_URL' }] },
  };
  expect([...variablesOf(definition)]).toEqual(['SHOP_URL', 'SHOP_SMTP']);
});

test('every variable that is read is known to the doctor, and names alone are told', async () => {
  const text = await readFile(join(PROJECT_FOLDER, 'scripts/config.ts'), 'utf8');
  for (const name of new Set(text.match(/\bSTRATA_[A-Z_]+\b/g))) expect(VARIABLES_READ, name).toContain(name);
  expect(variablesSet({ STRATA_HOME: 'x', TEMPORAL_API_KEY: 'y', HOME: 'z', STRATA_THREADS: '' })).toEqual([
    'STRATA_HOME',
    'TEMPORAL_API_KEY',
  ]);
  const [found] = await environmentProbe(null, ['STRATA_HOME', 'TEMPORAL_API_KEY']).look();
  expect(found).toMatchObject({ state: 'ok', says: 'set: STRATA_HOME, TEMPORAL_API_KEY' });
});

test('variables of OpenTelemetry and OpenLineage that the docs name are known to the doctor', async () => {
  const text = await readFile(join(PROJECT_FOLDER, 'docs/observing.md'), 'utf8');
  const named = new Set(text.match(/\b(OTEL|OPENLINEAGE)_[A-Z_]+\b/g));
  named.delete('OTEL_TRACES_SAMPLER');
  expect(VARIABLES_READ.filter((name) => /^(OTEL|OPENLINEAGE)_/.test(name)).sort()).toEqual(
    [...named].sort(),
  );
  expect(variablesSet({ OTEL_SERVICE_NAME: 'x', OPENLINEAGE_URL: 'y', OTEL_TRACES_SAMPLER: 'z' })).toEqual([
    ...['OPENLINEAGE_URL', 'OTEL_SERVICE_NAME'],
  ]);
});
