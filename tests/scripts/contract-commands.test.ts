import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { parseContract } from '../../pipelines/contracts/parse-contract.ts';
import { checkCommand } from '../../scripts/check.ts';
import type { CheckedExtract } from '../../scripts/check-extract.ts';
import { checkText } from '../../scripts/check-report.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { contractCommand } from '../../scripts/contract.ts';
import { errorText } from '../../scripts/error-text.ts';

const run = promisify(execFile);
const DEFINITIONS = join(PROJECT_FOLDER, 'pipelines/definitions');
const PAGE = readFileSync(join(PROJECT_FOLDER, 'docs/contracts.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/```yaml\n([^`]*)```/g)].map(([, text]) => text!);
const COMMANDS = [...PAGE.matchAll(/^npm run strata -- (.*)$/gm)].map(([, text]) => text!.split(' '));
const OR = readFileSync(join(DEFINITIONS, 'online-retail/contract.yaml'), 'utf8');

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-contract-'));
  const lines = Array.from({ length: 400 }, (_, i) => {
    const customer = i % 100 === 0 ? '' : `${17_000 + (i % 120)}`;
    return `${536_000 + i},S${i % 7},${1 + (i % 5)},2011-${String(1 + (i % 9)).padStart(2, '0')}-11 10:00:00,2.5,${customer},France`;
  });
  const csv = ['InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country', ...lines].join('\n');
  await writeFile(join(folder, 'transactions.csv'), `${csv}\n`);
  await writeFile(join(folder, 'bad.csv'), `${csv.replaceAll(',2.5,', ',0,')}\n`);
  await writeFile(join(folder, 'contract.yaml'), OR);
  await writeFile(
    join(folder, 'new-contract.yaml'),
    OR.replace('name: category', 'name: discount')
      .replace('StockCode', 'Discount')
      .replace('string\n      - name: country', 'number\n      - name: country'),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Answer {
  code: number;
  out: string;
  err: string;
}

/** Within this process, which takes a tenth of the time. */
async function strata(name: string, ...args: string[]): Promise<Answer> {
  const answer: Answer = { code: 0, out: '', err: '' };
  const print = vi.spyOn(console, 'log').mockImplementation((text) => {
    answer.out += `${stripVTControlCharacters(String(text))}\n`;
  });
  const onExit = (code: number) => {
    answer.code = code;
  };
  const command =
    name === 'check' ? checkCommand(new AbortController().signal, onExit) : contractCommand(onExit);
  vi.stubEnv('INIT_CWD', folder);
  try {
    await command.parseAsync(args, { from: 'user' });
    return answer;
  } catch (error) {
    return { ...answer, code: 1, err: errorText(error) };
  } finally {
    print.mockRestore();
    vi.unstubAllEnvs();
  }
}

/** The same as a process of its own. */
async function started(...args: string[]): Promise<Answer> {
  const env = { ...process.env, INIT_CWD: folder, NO_COLOR: '1', FORCE_COLOR: undefined };
  const command = ['--import', 'tsx', 'scripts/strata.ts', ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, command, { cwd: PROJECT_FOLDER, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('strata check', () => {
  test('tells rows, rules and verdict of a file that fits, and writes them', async () => {
    const { code, out } = await strata(
      'check',
      'transactions.csv',
      '--pipeline',
      'online-retail',
      '--json',
      'out.json',
    );
    expect(code, out).toBe(0);
    expect(out).toMatch(/✓ fits the contract .*transactions\.csv\n400 rows = 396 accepted \+ 4 refused/);
    expect(out).toMatch(/without-customer +4 +4 +1 % +refused +nobody can be found/);
    const found = JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'));
    expect(found).toMatchObject({
      verdict: 'pass',
      counts: { rowsRead: 400, rowsAccepted: 396 },
      notChecked: [],
    });
  });

  test('tells the rows and rules of a second table, too', () => {
    const counts = { rowsRead: 2_237, rowsAccepted: 2_236, rowsQuarantined: 1, quarantinedBy: [] };
    const rule = (name: string, broken: number, severity: 'reject' | 'warn' = 'reject') =>
      ({ name, severity, broken, refused: broken, reason: `reason of ${name}` }) as const;
    const checked = {
      extract: { asOf: '2026-07-01', rowsAfterAsOf: 0 },
      report: {
        verdict: 'warn',
        reasons: [],
        counts: { ...counts, customers: 1 },
        rules: [rule('free', 1)],
        tables: [{ table: 'customers', ...counts, rules: [rule('nobody', 1), rule('young', 3, 'warn')] }],
        notChecked: [],
      },
    } as unknown as CheckedExtract;
    const text = stripVTControlCharacters(checkText(checked, 'orders.csv'));
    expect(text).toMatch(/^2,237 rows = 2,236 accepted \+ 1 refused; 1 customer, as of/m);
    expect(text).toMatch(
      /^customers: 2,237 rows = 2,236 accepted \+ 1 refused\n {2}rule .*\n {2}nobody +1 +1 +0\.04 % +refused +reason of nobody\n {2}young +3 +0\.1 % +kept +reason/m,
    );
  });

  test('ends with 2 and the way out for one that does not, by a contract alone too', async () => {
    const { code, out } = await started('check', 'bad.csv', '--contract', 'contract.yaml');
    expect(code, out).toBe(2);
    expect(out).toMatch(
      /✗ does not fit the contract .*\n.*\n.*No row satisfies the contract.*look at the quarantine/,
    );
  });

  test('ends with 1 and a code for a file that is not there', async () => {
    const { code, err } = await strata('check', 'none.csv');
    expect(code).toBe(1);
    expect(err).toMatch(/EXTRACT_NOT_FOUND/);
  });

  test('says which pipeline it was held against where nobody named one', async () => {
    const { code, out } = await strata('check', 'transactions.csv');
    expect(code).toBe(1);
    expect(out).toBe('held against pipeline shop, the default: for another one add --pipeline NAME\n');
    expect((await strata('check', '--contract', 'contract.yaml', 'nope.csv')).out).toBe('');
  });

  test('of columns alone: which are missing, and which nobody reads', async () => {
    const good = await strata('check', 'transactions.csv', '--schema-only', '--pipeline', 'online-retail');
    expect(good.code, good.out).toBe(0);
    const bad = await strata('check', 'transactions.csv', '--schema-only', '--contract', 'new-contract.yaml');
    expect(bad.code).toBe(2);
    expect(bad.out).toMatch(/Discount +discount +missing: add it/);
    expect(bad.out).toMatch(/nobody reads StockCode/);
  });
});

describe('strata contract', () => {
  test('diff names the features that lose their column, and ends with 2', async () => {
    const { code, out } = await strata(
      'contract',
      'diff',
      'online-retail',
      'new-contract.yaml',
      '--json',
      'diff.json',
    );
    expect(code, out).toBe(2);
    expect(out).toMatch(/✗ breaks +column category is gone/);
    expect(out).toMatch(/✓ no break +column discount is new/);
    expect(out).toMatch(/products rests on category; used for names by trait/);
    expect(JSON.parse(await readFile(join(folder, 'diff.json'), 'utf8')).isBreaking).toBe(true);
  });

  test('diff of a contract with itself finds nothing', async () => {
    const { code, out } = await strata('contract', 'diff', 'contract.yaml', 'online-retail');
    expect([code, out.trim()]).toEqual([0, '✓ contract.yaml and online-retail ask the same']);
  });

  test('diff holds a file against the source of the pipeline, with the rules of its customers', async () => {
    const two = join(folder, 'definitions', 'two-tables');
    const [pipeline, contract] = [join(two, 'pipeline.yaml'), join(two, 'contract.yaml')];
    await mkdir(two, { recursive: true });
    const second = 'customers: { kind: file, path: c.csv, customer_id: number, attributes: {} }';
    const shopped = readFileSync(join(DEFINITIONS, 'online-retail/pipeline.yaml'), 'utf8')
      .replace('pipeline: online-retail', 'pipeline: two-tables')
      .replace('  columns:\n', `  ${second}\n  columns:\n`);
    await writeFile(pipeline, shopped);
    await writeFile(contract, OR);
    vi.stubEnv('STRATA_DEFINITIONS', join(folder, 'definitions'));
    expect(await strata('contract', 'diff', 'two-tables', contract)).toEqual({
      code: 0,
      out: `✓ two-tables and ${contract} ask the same\n`,
      err: '',
    });
    vi.stubEnv('STRATA_DEFINITIONS', join(folder, 'definitions'));
    const proposed = await strata('contract', 'diff', 'new-contract.yaml', 'two-tables');
    expect(proposed.out).toMatch(/✗ breaks +column discount is gone/);
  });

  test('diff says of a file that is not there that it is not', async () => {
    const { code, err } = await strata('contract', 'diff', 'online-retail', 'nope.yaml');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/nope\.yaml cannot be read: there is no such file/),
    ]);
  });

  test('lint tells every fault of a file with its place', async () => {
    await writeFile(
      join(folder, 'faulty.yaml'),
      OR.replace('mustBe: 0', 'mustBe: 3').replace('status: active', ''),
    );
    const { code, out } = await strata('contract', 'lint', 'faulty.yaml', 'contract.yaml');
    expect(code).toBe(2);
    expect(out).toMatch(/✗ faulty\.yaml\n[\s\S]*faulty\.yaml: status: [\s\S]*✓ contract\.yaml is sound/);
  });

  test('lint names every contract that there is not, and the faults of the others', async () => {
    const { code, out } = await strata('contract', 'lint', 'nope', 'faulty.yaml', 'none.yaml', 'shop');
    expect(code).toBe(1);
    expect(out).toMatch(/✗ nope\n.*"nope" is not defined; there are .*\(PIPELINE_UNKNOWN\)/);
    expect(out).toMatch(/✗ none\.yaml\n.*cannot be read.*\(INPUT_INVALID\)/);
    expect(out).toMatch(/faulty\.yaml: status: [\s\S]*✓ shop is sound/);
  });
});

describe('docs/contracts.md', () => {
  test('its examples are contracts', () => {
    expect(EXAMPLES.length).toBeGreaterThan(0);
    for (const text of EXAMPLES) expect(parseContract(text).rules.length).toBeGreaterThan(5);
  });

  test.each(COMMANDS.map((args) => [args.join(' '), args] as const))('%s can be run', async (_, args) => {
    const [name, ...rest] = args.map((arg) => arg.replace('.parquet', '.csv'));
    const { code, out, err } = await strata(name!, ...rest);
    expect([0, 2], `${out}${err}`).toContain(code);
  });
});

// The standard's own schema and tool come with Python packages: asked where they are there.
const python = await findStandard();
describe.skipIf(python === null)('the standard itself', () => {
  const contracts = [
    ...readdirSync(DEFINITIONS)
      .filter((name) => existsSync(join(DEFINITIONS, name, 'contract.yaml')))
      .map((name) => [name, readFileSync(join(DEFINITIONS, name, 'contract.yaml'), 'utf8')] as const),
    ...EXAMPLES.map((text, i) => [`example ${i + 1} of docs/contracts.md`, text] as const),
  ];

  test.each(contracts)(
    'its JSON Schema accepts the contract of %s, and not one with a slip',
    async (_, text) => {
      const { default: Ajv } = await import('ajv/dist/2019.js');
      const schema = JSON.parse(await readFile(python!.schema, 'utf8'));
      const validate = new Ajv.default({ strict: false, validateFormats: false }).compile(schema);
      expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...parse(text), kynd: 'DataContract' })).toBe(false);
    },
  );

  test('its command-line tool finds all of ours sound', async () => {
    const { code, out } = await strata('contract', 'lint', '--datacontract', python!.tool);
    expect(code, out).toBe(0);
    expect(out.match(/is sound by Strata and datacontract/g)).toHaveLength(
      readdirSync(DEFINITIONS).filter((name) => existsSync(join(DEFINITIONS, name, 'contract.yaml'))).length,
    );
  }, 120_000);
});

async function findStandard(): Promise<{ schema: string; tool: string } | null> {
  const code =
    "import datacontract, os, sys; print(os.path.join(os.path.dirname(datacontract.__file__), 'schemas', 'odcs-3.1.0.schema.json')); print(os.path.join(os.path.dirname(sys.executable), 'datacontract'))";
  for (const command of [process.env.ODCS_PYTHON, 'python3']) {
    if (!command) continue;
    const found = await run(command, ['-c', code]).catch(() => null);
    const [schema, tool] = found?.stdout.trim().split('\n') ?? [];
    if (schema && tool && existsSync(schema) && existsSync(tool)) return { schema, tool };
  }
  return null;
}
