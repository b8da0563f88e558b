import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { createActivities } from '../../activities/index.ts';
import type { Clustering } from '../../pipelines/contracts/stages.ts';
import type { DiffReport } from '../../pipelines/stages/evolution/diff.ts';
import type { EvolutionReport } from '../../pipelines/stages/evolution/evolution.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { diffCommand } from '../../scripts/diff.ts';
import { errorText } from '../../scripts/error-text.ts';
import { evolutionCommand } from '../../scripts/evolution.ts';
import { joinParts, type Parts } from '../../scripts/parts.ts';
import { startServices } from '../../scripts/services/index.ts';
import type { PastPublication } from '../../store/postgres/evolution.ts';
import { createQuietLog, makeHome, removeHome } from './services/homes.ts';

const home = makeHome();
const folder = join(home, 'person');
const definitions = join(home, 'definitions');
const QUIET = {
  ...{ STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_LOG_LEVEL: 'error' },
  STRATA_DEFINITIONS: definitions,
};
const env = { ...process.env, ...QUIET };

/** A shop small enough for three runs, that may choose other numbers of segments from a date on. */
async function writeShop(k: { min: number; max: number }): Promise<void> {
  const shop = parse(
    await readFile(join(PROJECT_FOLDER, 'pipelines/definitions/shop/pipeline.yaml'), 'utf8'),
  );
  const trials = { bootstraps: 10, nullDraws: 19, starts: 3, sampleRows: 500, k };
  const source = { ...shop.source, customers: 400, months: 6 };
  await writeFile(
    join(definitions, 'shop/pipeline.yaml'),
    stringify({ ...shop, source, clustering: trials }),
  );
}

let services: Awaited<ReturnType<typeof startServices<'postgres'>>>;
let parts: Parts;
let line: PastPublication[];

/** The stages of a run up to its publication, in this process and without a Temporal server. */
async function publish(asOf: string): Promise<void> {
  const activities = createActivities(parts.context);
  const logger = new DefaultLogger('ERROR', () => undefined);
  const perform = <R>(work: () => Promise<R>): Promise<R> =>
    new MockActivityEnvironment({}, { logger }).run(work);
  const workflow = { id: `test/${asOf}`, runId: asOf };
  const opened = await perform(() => activities.openRun({ input: { asOf }, workflow, scheduledAt: null }));
  const extract = await perform(() => activities.extractCustomers({ run: opened.run }));
  const run = { ...opened.run, asOf: extract.asOf };
  const validation = await perform(() => activities.validateExtract({ run, extract }));
  const features = await perform(() => activities.buildFeatures({ run, extract, validation }));
  const clustering = (await perform(() => activities.fitClusters({ run, features }))) as Clustering;
  const match = await perform(() => activities.matchIdentities({ run, features, clustering }));
  const naming = await perform(() => activities.nameSegments({ run, features, clustering, match }));
  await perform(() =>
    activities.persistRun({ run, extract, validation, features, clustering, match, naming }),
  );
  await perform(() => activities.measureStability({ run, features, clustering, match, naming }));
  await perform(() => activities.publishRun({ run, match, naming, review: null }));
}

beforeAll(async () => {
  for (const [name, value] of Object.entries(QUIET)) vi.stubEnv(name, value);
  await mkdir(folder);
  await cp(join(PROJECT_FOLDER, 'pipelines/definitions/shop'), join(definitions, 'shop'), {
    recursive: true,
  });
  await writeShop({ min: 3, max: 4 });
  const { log } = createQuietLog();
  services = await startServices({ home, log, only: ['postgres'], env });
  parts = await joinParts({ config: readConfig(env), databaseUrl: services.databaseUrl, log });
  await publish('2026-04-01');
  await publish('2026-05-01');
  await writeShop({ min: 5, max: 5 });
  await publish('2026-06-01');
  line = await parts.context.repositories.evolution.publications('shop');
}, 240_000);

afterAll(async () => {
  await parts?.close();
  await services?.stop();
  await removeHome(home);
  vi.unstubAllEnvs();
});

/** What a command prints, or the error it ends with. */
async function typed(command: typeof diffCommand, ...args: string[]): Promise<string> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  try {
    await command(new AbortController().signal).parseAsync(args, { from: 'user' });
    return printed.join('\n');
  } catch (error) {
    return errorText(error);
  } finally {
    print.mockRestore();
  }
}

const readReport = async <R>(file: string) => JSON.parse(await readFile(join(folder, file), 'utf8')) as R;

describe('strata diff', () => {
  test('tells of two runs by their dates in any order, as text, JSON and a page', async () => {
    const text = await typed(
      diffCommand,
      '2026-05-01',
      '2026-04-01',
      '--json',
      'diff.json',
      '--html',
      'diff.html',
    );
    expect(text).toContain('as of 2026-04-01 -> 2026-05-01');
    for (const title of ['What changed and why', 'Segments', 'Who went where', 'The model or the data'])
      expect(text).toContain(title);
    const report = await readReport<DiffReport>('diff.json');
    expect(report.sentences).toHaveLength(5);
    for (const sentence of report.sentences) expect(text).toContain(sentence);
    const html = await readFile(join(folder, 'diff.html'), 'utf8');
    expect(html).toContain('<section id="matrix">');
  }, 60_000);

  test('of neighbours it counts the moves that the later run counted, cause by cause', async () => {
    await typed(diffCommand, line[0]!.runId, line[1]!.runId, '--json', 'neighbours.json');
    const { matrix, totals } = await readReport<DiffReport>('neighbours.json');
    const between = line[1]!.movements.filter(({ from, to }) => from !== null && to !== null);
    for (const cause of ['behaviour', 'model', 'border'] as const) {
      const counted = between
        .filter((move) => move.cause === cause)
        .reduce((sum, move) => sum + move.customers, 0);
      expect(totals.causes![cause]).toBe(counted);
    }
    for (const { from, to, spendCents } of between) {
      const cell = matrix.find((row) => row.from === from)!.cells.find((one) => one.to === to)!;
      const all = between.filter((move) => move.from === from && move.to === to);
      expect(cell.cents).toBe(all.reduce((sum, move) => sum + move.spendCents!, 0));
      expect(spendCents).toBeLessThanOrEqual(cell.cents!);
    }
  }, 60_000);

  test('of runs that are no neighbours too; another definition is said first', async () => {
    const text = await typed(diffCommand, '2026-04-01', 'latest', '--json', 'apart.json');
    const { between, doubts, segments, modelByData } = await readReport<DiffReport>('apart.json');
    expect(between).toBe(1);
    expect(doubts[0]).toBe('5 segments may be chosen, before 3 to 4');
    expect(text.indexOf('Read with care')).toBeGreaterThan(0);
    expect(text.indexOf('Read with care')).toBeLessThan(text.indexOf('What changed and why'));
    expect(segments.filter(({ after }) => after !== null)).toHaveLength(5);
    expect(modelByData!.cells.every(({ sizes }) => sizes !== null)).toBe(true);
  }, 60_000);

  test('without runs it compares the last two', async () => {
    expect(await typed(diffCommand)).toContain('as of 2026-05-01 -> 2026-06-01');
  }, 60_000);

  test.each([
    [
      ['2026-04-15'],
      /no run of shop as of 2026-04-15 is published; there are 2026-04-01, 2026-05-01, 2026-06-01 \(INPUT_INVALID\)/,
    ],
    [['run_none'], /run_none.*\(RUN_UNKNOWN\)/],
    [['latest', 'latest'], /a run is the same as itself.*\(INPUT_INVALID\)/],
    [
      ['latest', '--pipeline', 'books'],
      /pipeline books has published nothing; there are publications of shop \(INPUT_INVALID\)/,
    ],
    [['latest', '--json', 'nowhere/a.json'], /--json needs a folder.*\(CONFIG_INVALID\)/],
  ])(
    '%o is refused with the way out',
    async (args, message) => {
      expect(await typed(diffCommand, ...args)).toMatch(message);
    },
    60_000,
  );
});

describe('strata evolution', () => {
  test('tells of all publications; what leaves and arrives adds up to their sizes', async () => {
    const text = await typed(
      evolutionCommand,
      'shop',
      '--json',
      'evolution.json',
      '--html',
      'evolution.html',
    );
    expect(text).toContain('3 publications, as of 2026-04-01 to 2026-06-01');
    const { runs, steps, sentences } = await readReport<EvolutionReport>('evolution.json');
    expect(sentences).toHaveLength(5);
    for (const { from, to, flows, totals } of steps) {
      const [before, after] = [runs[from]!, runs[to]!];
      expect(before.customers - totals.lost.customers + totals.new.customers).toBe(after.customers);
      expect(before.spendCents! - totals.lost.cents! + totals.growthCents! + totals.new.cents!).toBe(
        after.spendCents,
      );
      for (const { segmentId, customers, spendCents } of after.segments) {
        const arriving = flows.filter((flow) => flow.to === segmentId);
        expect(arriving.reduce((sum, flow) => sum + flow.customers, 0)).toBe(customers);
        expect(arriving.reduce((sum, flow) => sum + flow.centsAfter!, 0)).toBe(spendCents);
      }
      // Every move has the cause that the run gave it.
      const moved = flows.filter((flow) => flow.from !== null && flow.to !== null && flow.from !== flow.to);
      for (const { customers, causes } of moved)
        expect(causes!.behaviour + causes!.model + causes!.border).toBe(customers);
    }
    expect(steps[1]!.definitionChanges.map(({ isDoubtful }) => isDoubtful)).toContain(true);
  }, 60_000);

  test('holds no id of a customer, in none of its files', async () => {
    const { customer_id: id } = await parts.knex('memberships').first('customer_id');
    const files = (await readdir(folder)).filter((file) => /\.(json|html)$/.test(file));
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) expect(await readFile(join(folder, file), 'utf8')).not.toContain(id);
  });

  test('a range of dates leaves the others out, and needs two publications', async () => {
    expect(await typed(evolutionCommand, '--from', '2026-05-01')).toContain(
      '2 publications, as of 2026-05-01',
    );
    expect(await typed(evolutionCommand, '--from', '2026-05-15')).toMatch(
      /an evolution needs two publications, shop has 1 from 2026-05-15 to the last; there are .*\(INPUT_INVALID\)/,
    );
  }, 60_000);

  test('a run whose artifacts are gone is named, with the way out; a range without it works', async () => {
    const { labels } = line[0]!.artifacts!;
    const file = join(readConfig(env).artifacts, labels.uri);
    await rename(file, `${file}.away`);
    try {
      const refused = new RegExp(
        `run ${line[0]!.runId} as of 2026-04-01 cannot be compared.*--from.*\\(ARTIFACT_MISSING\\)`,
      );
      expect(await typed(evolutionCommand)).toMatch(refused);
      expect(await typed(diffCommand, '2026-04-01')).toMatch(refused);
      expect(await typed(evolutionCommand, '--from', '2026-05-01')).toContain('2 publications');
    } finally {
      await rename(`${file}.away`, file);
    }
  }, 60_000);
});
