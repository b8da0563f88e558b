import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import type { Definition } from '../../../../pipelines/contracts/definition.ts';
import {
  OUTCOMES,
  type RunCounts,
  type SegmentSummary,
  type Verdict,
} from '../../../../pipelines/contracts/run.ts';
import type { Places } from '../../../../pipelines/stages/openlineage/datasets.ts';
import type { Dataset, RunEvent } from '../../../../pipelines/stages/openlineage/facets.ts';
import {
  endedEvent,
  startedEvent,
  type ToldRun,
} from '../../../../pipelines/stages/openlineage/run-events.ts';
import { PROJECT_FOLDER } from '../../../../scripts/config.ts';
import { loadDefinition } from '../../../../store/definitions.ts';

const { definition } = await loadDefinition([join(PROJECT_FOLDER, 'pipelines/definitions')], 'online-retail');
const places: Places = {
  namespace: 'shops',
  store: { namespace: 'postgres://db.example:5432', database: 'strata' },
  sourceAt: (variable) =>
    variable === 'SHOP' ? { namespace: 'postgres://shop.example:5433', database: 'shop' } : null,
};
const RUN_ID = '01a22541-cf00-709f-aba5-9c78ed58e125';
const told = (more: Partial<ToldRun> = {}, extract: string | null = '/data/retail.csv'): ToldRun => ({
  run: {
    ...{ runId: 'run_1', kind: 'refit', pipeline: 'online-retail', asOf: '2011-12-10', extract },
    workflow: { id: 'segment/online-retail/2011-12-10', runId: RUN_ID },
  },
  ...{ definition, places, at: '2026-11-29T12:00:00.000Z', codeVersion: 'c0de'.repeat(16) },
  ...more,
});
const counts: RunCounts = {
  ...{ rowsRead: 500, rowsAccepted: 480, rowsQuarantined: 20, customers: 90 },
  quarantinedBy: [],
};
const ended = {
  verdict: 'stable' as const,
  reasons: [] as string[],
  found: { counts, segments: [{}, {}] as SegmentSummary[] },
};

// By hand from OpenLineage's own schema, https://openlineage.io/spec/2-0-2/OpenLineage.json
const facets = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['_producer', '_schemaURL'],
    properties: { _schemaURL: { type: 'string', pattern: '^https://openlineage\\.io/spec/facets/[0-9-]+/' } },
  },
};
const datasets = {
  type: 'array',
  items: {
    type: 'object',
    required: ['namespace', 'name'],
    additionalProperties: false,
    properties: {
      ...{ namespace: { type: 'string', minLength: 1 }, name: { type: 'string', minLength: 1 } },
      ...{ facets, inputFacets: facets, outputFacets: facets },
    },
  },
};
const isRunEvent = new Ajv2020({ strict: false }).compile({
  type: 'object',
  required: ['eventTime', 'producer', 'schemaURL', 'run', 'job'],
  additionalProperties: false,
  properties: {
    eventTime: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$' },
    ...{ producer: { type: 'string' }, schemaURL: { type: 'string' } },
    eventType: { enum: ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'] },
    run: {
      type: 'object',
      required: ['runId'],
      properties: { runId: { type: 'string', pattern: '^[0-9a-f-]{36}$' }, facets },
    },
    job: { type: 'object', required: ['namespace', 'name'], properties: { facets } },
    ...{ inputs: datasets, outputs: datasets },
  },
});

const ENDS = OUTCOMES.filter((outcome) => outcome !== 'held');

function find(list: readonly Dataset[], name: string): Dataset {
  return list.find((dataset) => dataset.name === name)!;
}

test.each<[string, RunEvent]>([
  ['START', startedEvent(told())],
  ['START without a definition', startedEvent(told({ definition: null }))],
  ...ENDS.map((outcome): [string, RunEvent] => [outcome, endedEvent(told(), { ...ended, outcome })]),
])('%s is an event by the specification', (_, event) => {
  isRunEvent(event);
  expect(isRunEvent.errors).toBeNull();
});

test('a run begins as its workflow execution, with its source', () => {
  const event = startedEvent(told());
  expect(event).toMatchObject({
    ...{ eventType: 'START', eventTime: '2026-11-29T12:00:00.000Z', outputs: [] },
    run: { runId: RUN_ID, facets: { nominalTime: { nominalStartTime: '2011-12-10T00:00:00.000Z' } } },
    job: { namespace: 'shops', name: 'online-retail' },
  });
  expect(event.inputs).toMatchObject([{ namespace: 'file', name: '/data/retail.csv' }]);
  expect(event.inputs[0]!.facets!.schema!.fields).toContainEqual({ name: 'CustomerID' });
});

test.each([
  ['published', 'COMPLETE'],
  ['rejected', 'FAIL'],
  ['failed', 'FAIL'],
  ['cancelled', 'ABORT'],
] as const)('%s is told as %s, with what readers have of it', (outcome, type) => {
  const event = endedEvent(told(), { ...ended, outcome });
  expect(event.eventType).toBe(type);
  const isPublished = outcome === 'published';
  expect(event.outputs.map(({ namespace, name }) => `${namespace} ${name}`)).toEqual(
    isPublished
      ? [
          'strata://shops online-retail/features',
          'postgres://db.example:5432 strata.public.published_memberships',
          'postgres://db.example:5432 strata.public.published_segments',
        ]
      : [],
  );
  expect(event.run.facets.errorMessage?.message).toBe(isPublished ? undefined : outcome);
});

test.each<['failed' | 'rejected' | 'cancelled', Verdict | null, string, string]>([
  ['failed', null, 'duplicate key (customer_id)=(kunde-17) (error)', 'failed'],
  ['failed', null, 'duplicate key (customer_id)=(kunde-17)', 'failed'],
  ['failed', null, 'amount needs a number, found kunde-17 (VALUE_REFUSED)', 'VALUE_REFUSED'],
  ['failed', null, 'it has no rows (EXTRACT_EMPTY)', 'it has no rows (EXTRACT_EMPTY)'],
  ['cancelled', null, 'cancelled: kunde-17 asked for it (EXTRACT_EMPTY)', 'cancelled'],
  ['rejected', 'unstable', 'review: reject (kunde-17 has moved)', 'rejected'],
  ['rejected', 'refused', '9 rows break rule positive', '9 rows break rule positive'],
  ['rejected', null, 'it is as of an earlier date', 'it is as of an earlier date'],
])('of a run that %s (%s), "%s" is told as "%s"', (outcome, verdict, reason, message) => {
  const event = endedEvent(told(), { ...ended, verdict, outcome, reasons: [reason] });
  expect(event.run.facets.errorMessage?.message).toBe(message);
  expect(JSON.stringify(event)).not.toContain('kunde-17');
});

test('each feature rests on columns of the source, and so does a membership', () => {
  const { outputs } = endedEvent(told(), { ...ended, outcome: 'published' });
  const source = (field: string) => ({ namespace: 'file', name: '/data/retail.csv', field });
  const fieldsOf = (name: string) =>
    find(outputs, name).facets!.columnLineage!.fields as Record<string, { inputFields: unknown[] }>;
  expect(fieldsOf('online-retail/features')).toMatchObject({
    recencyDays: { inputFields: [source('InvoiceDate')] },
    // Its money is no column of the source, but two.
    spendCents: { inputFields: [source('Quantity'), source('UnitPrice')] },
  });
  expect(fieldsOf('strata.public.published_memberships').customer_id).toEqual({
    inputFields: [source('CustomerID')],
  });
  expect(find(outputs, 'strata.public.published_memberships').outputFacets).toMatchObject({
    outputStatistics: { rowCount: 90 },
  });
});

test('of a run that could not say what it found, its outputs are told, and no number of rows', () => {
  const { inputs, outputs } = endedEvent(told(), { ...ended, found: null, outcome: 'published' });
  expect(outputs).toHaveLength(3);
  expect(JSON.stringify([inputs, outputs])).not.toMatch(/rowCount|assertions/);
});

test('of the contract it is told what is known: all rules met, or those that rows were refused for', () => {
  const assertionsOf = (quarantinedBy: RunCounts['quarantinedBy']) => {
    const event = endedEvent(told(), {
      ...ended,
      found: { ...ended.found, counts: { ...counts, quarantinedBy } },
      outcome: 'published',
    });
    return event.inputs[0]!.inputFacets!.dataQualityAssertions!.assertions as {
      assertion: string;
      success: boolean;
    }[];
  };
  const met = assertionsOf([]);
  expect(met.length).toBeGreaterThan(1);
  expect(met.every(({ success }) => success)).toBe(true);
  const rule = met[0]!.assertion;
  expect(assertionsOf([{ rule, rows: 20 }])).toMatchObject([{ assertion: rule, success: false }]);
});

test.each<[string, Partial<Definition['source']>, { namespace: string; name: string }]>([
  [
    'a file in a bucket',
    { kind: 'file', path: 's3://lake/orders/*.parquet' } as never,
    { namespace: 's3://lake', name: 'orders/*.parquet' },
  ],
  [
    'a query',
    { kind: 'postgres', urlFrom: 'SHOP', query: 'SELECT 1' } as never,
    { namespace: 'postgres://shop.example:5433', name: 'shop.query.online-retail_orders' },
  ],
  [
    'a query at an address that is not known',
    { kind: 'postgres', urlFrom: 'OTHER', query: 'SELECT 1' } as never,
    { namespace: 'strata://shops', name: 'OTHER/online-retail_orders' },
  ],
  [
    'what is made up',
    { kind: 'generated' } as never,
    { namespace: 'strata://shops', name: 'online-retail/generated' },
  ],
])('%s has a name by OpenLineage’s convention', (_, source, named) => {
  const changed = { ...definition, source: { ...definition.source, ...source } } as Definition;
  expect(startedEvent(told({ definition: changed }, null)).inputs).toMatchObject([named]);
  expect(JSON.stringify(startedEvent(told({ definition: changed }, null)))).not.toContain('SELECT');
});

const OWN = { namespace: 'strata://shops', name: 'online-retail/orders' };

test.each<[string, { namespace: string; name: string }]>([
  [
    'https://user:hunter2@host:8443/a/x.parquet?X-Amz-Signature=hunter2#hunter2',
    { namespace: 'https://host:8443', name: 'a/x.parquet' },
  ],
  [
    's3://lake/a@b/x *.parquet?s3_secret_access_key=hunter2',
    { namespace: 's3://lake', name: 'a@b/x *.parquet' },
  ],
  ['S3://hunter2@lake/x.csv', { namespace: 's3://lake', name: 'x.csv' }],
  ['file:///data/x.csv', { namespace: 'file', name: '/data/x.csv' }],
  ['/data/20??/year=2011/x:y@z.csv', { namespace: 'file', name: '/data/20??/year=2011/x:y@z.csv' }],
  ['https://user:hunter2/more@host/x.parquet', OWN],
  ['https://user:1/hunter2@host/x.parquet', OWN],
  ['jdbc:postgresql://user:hunter2@host/x', OWN],
  ['user:hunter2@host/x.parquet', OWN],
  ['host/x.parquet?X-Amz-Signature=hunter2', OWN],
  ['https://hunter2', OWN],
])('an extract at %s is named without a credential', (extract, named) => {
  const event = endedEvent(told({}, extract), { ...ended, outcome: 'published' });
  expect(event.inputs).toMatchObject([named]);
  expect(JSON.stringify([event, startedEvent(told({}, extract))])).not.toContain('hunter2');
});
