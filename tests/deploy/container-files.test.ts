import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PROJECT_FOLDER, VARIABLES_READ } from '../../scripts/config.ts';
import { CODE_FILES, CODE_FOLDERS } from '../../scripts/deploy/build-id.ts';

const run = promisify(execFile);
const read = (file: string) => readFileSync(join(PROJECT_FOLDER, file), 'utf8');
const CHART = join(PROJECT_FOLDER, 'deploy/helm/strata');

/** Linters are no part of the project: who has them runs them. */
function isHere(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What Kubernetes takes as a name everywhere. */
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** For a Job, where no --timeout is given: after it, helm would fail first and say nothing of why. */
const HELM_WAITS_SECONDS = 300;

/** Variables of ours that a text sets, less those that a build or compose itself reads. */
const variablesOf = (text: string) => new Set(text.match(/\b(STRATA|TEMPORAL)_[A-Z_]+\b/g));

describe('Dockerfile', () => {
  const text = read('Dockerfile');

  test('sends what the version is told by and three files beside it: no state, git, test or folder of one’s own', () => {
    const [all, ...sent] = read('.dockerignore').match(/^[!*].*$/gm)!;
    expect(all).toBe('*');
    const beside = ['LICENSE', 'package.json', 'tsconfig.json'];
    expect(sent.map((line) => line.slice(1)).sort()).toEqual(
      [...CODE_FOLDERS, ...CODE_FILES, ...beside].sort(),
    );
  });

  test('runs as a user with a number who is not root, without npm between the signals and the worker', () => {
    const stage = text.slice(text.lastIndexOf('\nFROM '));
    expect(/^USER (\d+)/m.exec(stage)?.[1]).toMatch(/^[1-9]/);
    expect(stage).toContain('ENTRYPOINT ["node", "--import", "tsx"]\nCMD ["scripts/worker.ts"]');
  });

  test('takes a Node that the project runs on', () => {
    const [, major] = /FROM node:(\d+)-slim/.exec(text)!;
    expect(Number(major)).toBeGreaterThanOrEqual(22);
  });

  test.skipIf(!isHere('hadolint', '--version'))('hadolint has nothing to say', async () => {
    expect((await run('hadolint', [join(PROJECT_FOLDER, 'Dockerfile')])).stdout).toBe('');
  });
});

describe('compose.yaml', () => {
  const text = read('compose.yaml');
  const { services } = parse(text) as { services: Record<string, { environment?: Record<string, string> }> };

  test('gives the worker variables that are read, and waits for what it needs', () => {
    const given = Object.keys(services.worker!.environment!);
    expect(given).toEqual(expect.arrayContaining(['STRATA_DATABASE_URL', 'TEMPORAL_ADDRESS']));
    for (const name of given) if (name.startsWith('STRATA_')) expect(VARIABLES_READ).toContain(name);
    expect(services.worker).toMatchObject({
      depends_on: { postgres: { condition: 'service_healthy' }, temporal: { condition: 'service_healthy' } },
    });
  });

  test('has no password in it, and opens nothing to other machines', () => {
    expect(text).toMatch(/POSTGRES_PASSWORD: \$\{STRATA_POSTGRES_PASSWORD:\?/);
    for (const { ports = [] } of Object.values(services) as { ports?: string[] }[])
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test.skipIf(!isHere('docker', 'compose', 'version'))('docker compose takes it', async () => {
    const env = { ...process.env, STRATA_POSTGRES_PASSWORD: 'x' };
    await run('docker', ['compose', '-f', join(PROJECT_FOLDER, 'compose.yaml'), 'config', '--quiet'], {
      env,
    });
  });
});

describe('the Helm chart', () => {
  const values = parse(read('deploy/helm/strata/values.yaml')) as Record<string, object>;
  const schema = JSON.parse(read('deploy/helm/strata/values.schema.json')) as object;
  const good = {
    ...values,
    versions: [{ buildId: '4f2a1c9e0b12', replicas: 2 }, { buildId: '9c1d22ab04ff' }],
    temporal: { address: 'temporal:7233', namespace: 'default' },
  };

  test('says what has to be given, and refuses what cannot be', () => {
    const takes = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
    expect(takes(good)).toBe(true);
    expect(takes(values)).toBe(false);
    expect(takes({ ...good, versions: [{ buildId: 'v1:2' }] })).toBe(false);
    expect(takes({ ...good, deployment: 'strata.prod' })).toBe(false);
    expect(takes({ ...good, artifacts: { s3: 's3://analytics/strata' } })).toBe(true);
    expect(takes({ ...good, artifacts: { s3: 'analytics' } })).toBe(false);
    expect(takes({ ...good, artifacts: { endpoint: 'https://me:secret@minio' } })).toBe(false);
  });

  test('sets variables that are read', () => {
    const templates = readdirSync(join(CHART, 'templates')).map((name) =>
      read(`deploy/helm/strata/templates/${name}`),
    );
    for (const name of variablesOf(templates.join('\n')))
      if (name.startsWith('STRATA_')) expect(VARIABLES_READ).toContain(name);
  });

  const given = [
    ...['--set', 'temporal.address=temporal:7233', '--set', 'promote=4f2a1c9e0b12'],
    ...['--set', 'versions[0].buildId=4f2a1c9e0b12', '--set', 'versions[1].buildId=9c1d22ab04ff'],
  ];

  const objectsIn = (printed: string) =>
    printed
      .split(/^---$/m)
      .map((text) => parse(text))
      .filter(Boolean);

  test.skipIf(!isHere('helm', 'version'))(
    'names of releases and versions may be as long as they get',
    async () => {
      const commit = '4f2a1c9e0b12d3e4f5a6b7c8d9e0f1a2b3c4d5e6';
      const long = [
        '--set',
        'temporal.address=t:7233',
        '--set',
        `versions[0].buildId=${commit},promote=${commit}`,
      ];
      const { stdout } = await run('helm', ['template', 'strata-production-of-the-shop', CHART, ...long]);
      const names = objectsIn(stdout).map(({ metadata }) => metadata.name);
      expect(names).toHaveLength(3);
      for (const name of names) expect(name).toMatch(DNS_LABEL);
      expect(names.at(-1)).toMatch(/-4f2a1c9e[0-9a-f]+-promote$/);
    },
  );

  test.skipIf(!isHere('helm', 'version'))(
    'helm lints it, and makes a Deployment of each version',
    async () => {
      await run('helm', ['lint', '--strict', CHART, ...given]);
      const { stdout } = await run('helm', ['template', 'shop', CHART, ...given]);
      const objects = objectsIn(stdout);
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
      expect(names).toEqual([
        'Deployment shop-4f2a1c9e0b12',
        'Deployment shop-9c1d22ab04ff',
        'Job shop-4f2a1c9e0b12-promote',
        'PersistentVolumeClaim shop-artifacts',
      ]);
      const { activeDeadlineSeconds } = objects.find(({ kind }) => kind === 'Job').spec;
      expect(activeDeadlineSeconds).toBeLessThan(HELM_WAITS_SECONDS);
      const probes = (text: string) =>
        text.match(/path: \/(healthz|readyz)|name: STRATA_METRICS_PORT/g) ?? [];
      expect(probes(stdout)).toHaveLength(6);
      const { stdout: unseen } = await run('helm', [
        'template',
        'shop',
        CHART,
        ...given,
        '--set',
        'metricsPort=0',
      ]);
      expect(probes(unseen)).toEqual([]);
    },
  );

  test.skipIf(!isHere('helm', 'version'))(
    'with a bucket there is no claim, and pods mount none',
    async () => {
      const bucket = 's3://analytics/strata';
      const values = `artifacts.s3=${bucket},artifacts.endpoint=https://minio:9000,serviceAccountName=strata`;
      await run('helm', ['lint', '--strict', CHART, ...given, '--set', values]);
      const { stdout } = await run('helm', ['template', 'shop', CHART, ...given, '--set', values]);
      expect(stdout).not.toMatch(/PersistentVolumeClaim|persistentVolumeClaim|name: artifacts/);
      const [pod] = objectsIn(stdout).filter(({ kind }) => kind === 'Deployment');
      const { containers, serviceAccountName } = pod.spec.template.spec;
      expect(serviceAccountName).toBe('strata');
      expect(containers[0].env).toEqual(
        expect.arrayContaining([
          { name: 'STRATA_ARTIFACTS', value: bucket },
          { name: 'AWS_ENDPOINT_URL', value: 'https://minio:9000' },
        ]),
      );
    },
  );
});
