import { expect, test, vi } from 'vitest';
import { readConfig } from '../../../scripts/config.ts';
import { openLog } from '../../../scripts/log.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const tracesOf = (env: Record<string, string>) => readConfig(env).traces;

test('without an endpoint, or where OpenTelemetry is switched off, nothing is traced', () => {
  expect(tracesOf({})).toBeNull();
  expect(tracesOf({ OTEL_SERVICE_NAME: 'shop' })).toBeNull();
  expect(tracesOf({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeNull();
  expect(tracesOf({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).toBeNull();
});

test('the endpoint of all is a base, that of traces is taken as it is', () => {
  expect(tracesOf(ENDPOINT)).toEqual({
    url: 'http://collector:4318/v1/traces',
    protocol: 'http/protobuf',
    headers: {},
    resource: { 'service.name': 'strata' },
  });
  expect(tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://host/otlp/' })?.url).toBe(
    'https://host/otlp/v1/traces',
  );
  const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = 'https://host/api/traces';
  expect(tracesOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT })?.url).toBe('https://host/api/traces');
});

test('headers and attributes are pairs, percent-encoded; the service has a name of its own', () => {
  expect(
    tracesOf({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc=, x-team = data ',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=prod',
      OTEL_SERVICE_NAME: 'segments',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    }),
  ).toMatchObject({
    protocol: 'http/json',
    headers: { authorization: 'Bearer abc=', 'x-team': 'data' },
    resource: { 'service.name': 'segments', 'deployment.environment.name': 'prod' },
  });
});

test('headers of all are sent with those of traces, which go before', () => {
  const ofAll = { OTEL_EXPORTER_OTLP_HEADERS: 'x-team=data,authorization=all' };
  const env = { ...ENDPOINT, ...ofAll, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=traces' };
  expect(tracesOf(env)?.headers).toEqual({ 'x-team': 'data', authorization: 'traces' });
});

test('what cannot be used is refused by its name, without what may be a credential', () => {
  const bad = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'user:hunter2@collector',
    OTEL_EXPORTER_OTLP_HEADERS: 'hunter2',
  };
  expect(() => tracesOf(bad)).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT must look like/);
  const refused = () => tracesOf({ ...bad, ...ENDPOINT });
  expect(refused).toThrow(/OTEL_EXPORTER_OTLP_HEADERS must look like .*; entry 1 does not/);
  for (const env of [bad, { ...bad, ...ENDPOINT }]) expect(() => tracesOf(env)).not.toThrow(/hunter2/);
});

test('a protocol that others ask for and nobody here speaks stops nothing: it is warned of, and no traces are sent', () => {
  const config = readConfig({ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  expect(config.traces).toBeNull();
  expect(config.warnings).toEqual([
    'no traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, http/json, found "grpc"',
  ]);
  // What is said of traces goes before what is said of all; without an endpoint there is nothing to warn of.
  const ofTraces = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' };
  expect(readConfig({ ...ENDPOINT, ...ofTraces })).toMatchObject({
    traces: { protocol: 'http/json' },
    warnings: [],
  });
  expect(readConfig({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).warnings).toEqual([]);
});

test('a log begins with what is warned of', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  openLog({ logFormat: 'json', logLevel: 'info', warnings: ['no traces are sent'] });
  expect(said.mock.calls.map(([line]) => JSON.parse(String(line)))).toMatchObject([
    { level: 'warn', message: 'no traces are sent' },
  ]);
  said.mockRestore();
});
