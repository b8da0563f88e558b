import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { readTemporalConfig } from '../../temporal.config.ts';

test('an empty environment gives the documented defaults', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    home: `${PROJECT_FOLDER}/.strata`,
    databaseUrl: undefined,
    artifacts: `${PROJECT_FOLDER}/.strata/artifacts`,
    threads: availableParallelism(),
    logLevel: 'info',
    logFormat: 'text',
    metrics: { port: null, host: '127.0.0.1' },
    watchMinutes: 15,
    shutdownSeconds: 1,
    ports: { temporal: 7233, postgres: 54_329 },
  });
  expect(config.temporal).toMatchObject({ address: undefined, namespace: 'default' });
});

test('a worker belongs to no deployment unless the environment says so', () => {
  expect(readConfig({}).deployment).toBeUndefined();
  const config = readConfig({
    STRATA_DEPLOYMENT: 'strata',
    STRATA_BUILD_ID: 'v1.2+3',
    STRATA_SHUTDOWN_SECONDS: '60',
  });
  expect(config).toMatchObject({ deployment: 'strata', buildId: 'v1.2+3', shutdownSeconds: 60 });
});

test('all bad variables are named in one error', () => {
  const bad = {
    STRATA_THREADS: '0',
    STRATA_LOG_LEVEL: 'loud',
    STRATA_WATCH_MINUTES: '1441',
    STRATA_LOG_FORMAT: 'JSON',
    STRATA_METRICS_PORT: '0',
    STRATA_METRICS_HOST: 'http://here',
    STRATA_DEPLOYMENT: 'strata.prod',
    STRATA_BUILD_ID: 'a:b',
    STRATA_SHUTDOWN_SECONDS: '0',
    STRATA_TEMPORAL_PORT: '80',
    STRATA_POSTGRES_PORT: '65536',
    STRATA_DATABASE_URL: 'mysql://user:hunter2@host/database',
    STRATA_ARTIFACTS: 'gs://bucket',
    TEMPORAL_ADDRESS: 'somewhere',
    TEMPORAL_TLS: 'yes',
    TEMPORAL_PROFILE: 'not-there',
  };
  const error = errorOf(() => readConfig(bad));
  expect(error.code).toBe('CONFIG_INVALID');
  for (const name of Object.keys(bad)) expect(error.message).toContain(name);
});

test('a bad database URL is refused without a word of its password', () => {
  const error = errorOf(() => readConfig({ STRATA_DATABASE_URL: 'mysql://user:hunter2@host/database' }));
  expect(error.message).not.toContain('hunter2');
});

test.each([
  's3://key:hunter2@bucket/prefix',
  'gs://hunter2@bucket',
  's3://',
  's3://Bucket',
  's3://bucket/../up',
  's3://bucket//x',
])('artifacts in %s are refused: a folder or a bucket with a prefix will do', (place) => {
  const error = errorOf(() => readConfig({ STRATA_ARTIFACTS: place }));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toMatch(/STRATA_ARTIFACTS must (be a folder or|look like) s3:\/\/bucket/);
  expect(error.message).not.toContain('hunter2');
});

test('a bucket is reached as the variables of AWS say', () => {
  const key = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'hunter2' };
  const config = readConfig({
    STRATA_ARTIFACTS: 's3://bucket/some/prefix/',
    AWS_ENDPOINT_URL: 'https://elsewhere',
    AWS_ENDPOINT_URL_S3: 'https://minio.example:9000',
    ...key,
  });
  expect(config.artifacts).toBe('s3://bucket/some/prefix');
  expect(config.s3).toEqual({
    ...{ bucket: 'bucket', prefix: 'some/prefix', endpoint: 'https://minio.example:9000' },
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'hunter2', sessionToken: undefined },
  });
  expect(Object.keys(config.tools.childEnvironment)).not.toContain('AWS_SECRET_ACCESS_KEY');
});

test('on AWS itself region and credentials may be those of the machine', () => {
  expect(readConfig({ STRATA_ARTIFACTS: 's3://bucket' }).s3).toEqual({
    ...{ bucket: 'bucket', prefix: '', endpoint: undefined, region: undefined, credentials: undefined },
  });
  expect(readConfig({ AWS_ENDPOINT_URL: 'nonsense', AWS_ACCESS_KEY_ID: 'alone' }).s3).toBeNull();
});

test.each([
  ['AWS_ENDPOINT_URL', { AWS_ENDPOINT_URL: 'minio:9000' }],
  ['AWS_ENDPOINT_URL_S3', { AWS_ENDPOINT_URL_S3: 'https://me:hunter2@minio.example' }],
  ['AWS_SECRET_ACCESS_KEY', { AWS_ACCESS_KEY_ID: 'id' }],
])('a bucket with a bad %s is refused', (name, variables) => {
  const error = errorOf(() => readConfig({ STRATA_ARTIFACTS: 's3://bucket', ...variables }));
  expect(error.message).toContain(name);
  expect(error.message).not.toContain('hunter2');
});

test.each(['1', 'yes', 'TRUE', 'no'])('"%s" is no boolean', (word) => {
  expect(errorOf(() => readTemporalConfig({ TEMPORAL_TLS: word })).message).toContain(`found "${word}"`);
});

test.each(['1.5', '-1', 'two', `${availableParallelism() + 1}`])('%s threads are refused', (threads) => {
  expect(errorOf(() => readConfig({ STRATA_THREADS: threads })).message).toContain('STRATA_THREADS');
});

test('an empty variable counts as not set', () => {
  const config = readConfig({
    STRATA_THREADS: '',
    STRATA_DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    TEMPORAL_TLS: '',
  });
  expect(config.databaseUrl).toBeUndefined();
  expect(config.temporal.address).toBeUndefined();
});

test.each(['0.0.0.0', '::', 'worker-1.example', 'localhost'])('metrics may be told at %s', (host) => {
  const { metrics } = readConfig({ STRATA_METRICS_PORT: '9464', STRATA_METRICS_HOST: host });
  expect(metrics).toEqual({ port: 9464, host });
});

test.each(['127.0.0.1:9464', 'a b', '-', '*'])('metrics cannot be told at %s', (host) => {
  expect(errorOf(() => readConfig({ STRATA_METRICS_HOST: host })).message).toContain('STRATA_METRICS_HOST');
});

test('TEMPORAL_* is read as Temporal does', () => {
  const { address, namespace, connectionOptions } = readTemporalConfig({
    TEMPORAL_ADDRESS: 'temporal.example:7233',
    TEMPORAL_NAMESPACE: 'marketing',
    TEMPORAL_API_KEY: 'key',
  });
  expect({ address, namespace }).toEqual({ address: 'temporal.example:7233', namespace: 'marketing' });
  expect(connectionOptions).toMatchObject({ address, apiKey: 'key', tls: true });
});

test('relative folders are meant from where the command was typed', () => {
  const config = readConfig({
    INIT_CWD: '/data',
    STRATA_HOME: 'state',
    STRATA_ARTIFACTS: '../kept',
    STRATA_DEFINITIONS: 'pipelines',
  });
  expect([config.home, config.artifacts, config.definitions]).toEqual([
    '/data/state',
    '/kept',
    '/data/pipelines',
  ]);
});

test('programs we start do not see TEMPORAL_*, which would steer the CLI', () => {
  const { tools } = readConfig({ PATH: '/bin', TEMPORAL_NAMESPACE: 'marketing' });
  expect(tools.childEnvironment).toHaveProperty('PATH', '/bin');
  expect(tools.childEnvironment).not.toHaveProperty('TEMPORAL_NAMESPACE');
});

test('programs we start do not see keys nor what carries them, and definitions find what they name', () => {
  const secrets = {
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
    AWS_SESSION_TOKEN: 'hunter2',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=hunter2',
    OPENLINEAGE_URL: 'https://lineage.example/hunter2',
    OPENLINEAGE_API_KEY: 'hunter2',
  };
  const { tools } = readConfig({ PATH: '/bin', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', ...secrets });
  expect(Object.keys(tools.childEnvironment).filter((name) => /^(AWS|OTEL|OPENLINEAGE)_/.test(name))).toEqual(
    ['OTEL_EXPORTER_OTLP_PROTOCOL'],
  );
  for (const [name, value] of Object.entries(secrets)) expect(tools.secret(name)).toBe(value);
});

test('no definition finds the keys to Temporal and to payloads by naming them', () => {
  const keys = {
    TEMPORAL_API_KEY: 'hunter2',
    STRATA_CODEC_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
  };
  const { tools } = readConfig({ ...keys, CRM_URL: 'https://crm.example' });
  expect(Object.keys(keys).map(tools.secret)).toEqual([undefined, undefined]);
  expect(tools.secret('CRM_URL')).toBe('https://crm.example');
});

test('git, which we start, does not see the repository of a hook that started us', () => {
  const { tools } = readConfig({
    GIT_DIR: '/a/.git',
    GIT_INDEX_FILE: '/a/.git/index',
    GIT_SSL_CAINFO: '/ca',
  });
  expect(Object.keys(tools.childEnvironment).filter((name) => name.startsWith('GIT_'))).toEqual([
    'GIT_SSL_CAINFO',
  ]);
});

test('the configuration cannot be changed', () => {
  const config = readConfig({});
  expect([config, config.temporal, config.tools].every(Object.isFrozen)).toBe(true);
});

function errorOf(read: () => unknown): PipelineError {
  try {
    read();
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
