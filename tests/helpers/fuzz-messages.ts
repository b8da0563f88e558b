import fc from 'fast-check';
import { HANDLERS, WORKFLOWS } from '../../pipelines/contracts/signatures.ts';

// What callers may send, right, wrong and broken, drawn from a seed. Payloads are as they go over the wire: no SDK of
// Temporal would send half of them, other programs do.

export interface RawPayload {
  metadata?: Record<string, Uint8Array>;
  data?: Uint8Array;
}

export type MessageKind = 'start' | 'signal' | 'update' | 'query';

export interface FuzzMessage {
  kind: MessageKind;
  /** Of the workflow type, where one is started; else of the signal, update or query. */
  name: string;
  payloads: RawPayload[];
  /** Which of the executions there are; any number. */
  target: number;
}

const bytes = (text: string) => Buffer.from(text, 'utf8');
export const encoded = (encoding: string, data?: Uint8Array): RawPayload => ({
  metadata: { encoding: bytes(encoding) },
  ...(data && { data }),
});
export const json = (text: string): RawPayload => encoded('json/plain', bytes(text));

/** More than Temporal takes; less, but with an answer more than it takes; less with one, but not with two at once. */
const TOO_LARGE = 2_200_000;
const UNANSWERABLE = 2_096_500;
const LARGE = 2_000_000;
const NESTED = 100_000;

const BROKEN: RawPayload[] = [
  json('{'),
  json(''),
  json('undefined'),
  { metadata: { encoding: bytes('json/plain') } },
  encoded('json/plain', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)),
  encoded('json/protobuf', bytes('{}')),
  encoded('binary/encrypted', Uint8Array.of(1, 2, 3)),
  encoded('binary/plain', Uint8Array.of(0, 1, 2, 255)),
  encoded('binary/null', bytes('{}')),
  encoded(''),
  encoded('gzip', bytes('x')),
  { data: bytes('{}') },
  {},
  { metadata: { encoding: Uint8Array.of(0xff, 0xff) }, data: bytes('{}') },
];

const ODD_JSON = [
  '{"__proto__": {"pipeline": "shop"}}',
  '{"constructor": {"prototype": {}}, "toString": 1}',
  '{"decision": "publish", "__proto__": null}',
  '{"note": "\\ud83d", "decision": "publish"}',
  '{"pipeline": "\\u0000"}',
  '{"\\ud800": 1}',
  '{"pipeline": "shop", "pipeline": 7}',
  '1e999',
  '-0',
  '"NaN"',
  '{"seen": 1e400}',
];

/** Few of them: each is megabytes. */
const huge = fc.constantFrom<() => RawPayload>(
  () => json(JSON.stringify('x'.repeat(LARGE))),
  () => json(JSON.stringify({ pipeline: 'shop', extract: 'x'.repeat(LARGE) })),
  () => json(JSON.stringify({ decision: 'publish', note: '😀'.repeat(100_000) })),
  () => json(JSON.stringify({ ['x'.repeat(900_000)]: 1, decision: 'reject' })),
  () => json(JSON.stringify('x'.repeat(TOO_LARGE))),
  () => json(JSON.stringify('x'.repeat(UNANSWERABLE))),
  () => encoded('binary/plain', new Uint8Array(LARGE)),
  () => json(`${'['.repeat(NESTED)}${']'.repeat(NESTED)}`),
  () => json(`${'{"a":'.repeat(NESTED)}1${'}'.repeat(NESTED)}`),
);

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'shop',
    'publish',
    'reject',
    'never',
    'day',
    '2026-07-01',
    '2026-02-30',
    '0000-01-01',
  ),
  fc.constantFrom(
    '9999-12-31',
    '-1',
    'NaN',
    'null',
    '../../etc/passwd',
    '..\\..',
    'shop/../shop',
    '\0',
    'a\nb',
  ),
  fc.constantFrom(
    'postgres://me:secret@db/shop',
    '/no/such/file.parquet',
    'Europe/Atlantis',
    'seg_0',
    '😀'.repeat(30),
  ),
  fc.string({ maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('é', '客', '😀', '\ud83d', '\ude00', '\0', '\u202e', '"'),
    maxLength: 60,
  }),
  fc.constant('x'.repeat(5_000)),
);
const scalar = fc.oneof(
  text,
  fc.constantFrom(null, true, false, 0, -1, 1, 7, 1.5, 2 ** 53, 1e308, -1e-7),
  fc.integer(),
);
const value = fc.oneof(
  { maxDepth: 3 },
  scalar,
  fc.array(scalar, { maxLength: 4 }),
  fc.dictionary(fc.string({ maxLength: 8 }), scalar, { maxKeys: 4 }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Every field that anything of ours takes: right names with wrong values go farther than wrong names. */
const FIELDS: Record<string, readonly unknown[]> = {
  pipeline: ['shop', 'shoop', '../shop', 'online-retail'],
  asOf: ['2026-07-01', '2026-13-01', '1026-07-01'],
  extract: ['/no/such.parquet'],
  seed: [1, -1],
  k: [3, 65],
  review: ['never', 'always', 'sometimes'],
  beforePublished: ['refuse'],
  timezone: ['Europe/London'],
  from: ['2026-01-01', '0001-01-01'],
  to: ['2026-07-01', '9999-12-31'],
  every: ['day', 'year'],
  stopOn: ['never', 'failed'],
  again: [true],
  ks: [
    { min: 2, max: 4 },
    { min: 9, max: 3 },
  ],
  candidates: [['k-means'], ['nothing of ours']],
  bootstraps: [2],
  decision: ['publish', 'reject', 'maybe'],
  note: ['looked at it'],
  before: ['publish', 'extract', 'lunch'],
  segment: ['seg_0', 'Active regulars'],
  name: ['Our best', '<b>', '=1+1'],
  because: ['the campaign'],
  by: ['ann'],
  seen: [1, 0],
  input: ['orders', 'order'],
  kind: ['refit', 'assign', 'fit'],
  id: ['load-17'],
  ids: [['load-17', '__proto__', 7]],
  runId: ['run_1', null],
  run: ['run_1', '', 7],
  workflow: [{ id: 'segment/shop/latest', runId: '6f1c9f3e-2a0e-4f0e-9d3e-0d5f6b7a8c9d' }, { id: '' }],
  rows: [[], [{}]],
  plan: [{ pipeline: 'shop', dates: ['x'.repeat(2_000)], done: [], given: {}, reasons: [] }],
  state: [{ waiting: 7 }, 7],
  unreadable: ['x'],
};

const ofFields = fc
  .uniqueArray(fc.constantFrom(...Object.keys(FIELDS)), { maxLength: 5 })
  .chain((names) =>
    fc
      .tuple(
        ...names.map((name) =>
          fc.oneof(
            { weight: 3, arbitrary: fc.constantFrom(...FIELDS[name]!) },
            { weight: 1, arbitrary: value as fc.Arbitrary<unknown> },
          ),
        ),
      )
      .map((values) => Object.fromEntries(names.map((name, i) => [name, values[i]]))),
  );

/** What a handler of this name takes: nearly right is what people send. */
const NEAR: Record<string, readonly string[]> = {
  review: ['decision', 'note'],
  pause: ['before', 'because'],
  resume: ['because'],
  renameSegment: ['segment', 'name', 'because', 'by', 'seen'],
  extractLanded: ['input', 'extract', 'asOf', 'id'],
  requestRun: ['kind', 'extract', 'asOf', 'id'],
  inbox: ['ids'],
  segmentCustomers: ['pipeline', 'asOf', 'extract', 'seed', 'review', 'k', 'timezone'],
  assignCustomers: ['pipeline', 'asOf', 'extract', 'review'],
  compareAlgorithms: ['pipeline', 'asOf', 'ks', 'candidates', 'bootstraps'],
  backfillRuns: ['pipeline', 'from', 'to', 'every', 'stopOn', 'again', 'k'],
  preserveHistory: ['runId', 'workflow'],
  deliverMessages: ['pipeline'],
  reproduceRun: ['run'],
  pipelineInbox: ['pipeline'],
};

const near = (name: string) =>
  fc.record(
    Object.fromEntries(
      (Object.hasOwn(NEAR, name) ? NEAR[name]! : ['pipeline']).map((field) => [
        field,
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...FIELDS[field]!) },
          { weight: 1, arbitrary: scalar as fc.Arbitrary<unknown> },
        ),
      ]),
    ),
    { requiredKeys: [] },
  );

const payloadFor = (name: string): fc.Arbitrary<RawPayload> =>
  fc.oneof(
    { weight: 30, arbitrary: near(name).map((sent) => json(JSON.stringify(sent))) },
    { weight: 18, arbitrary: ofFields.map((sent) => json(JSON.stringify(sent))) },
    { weight: 18, arbitrary: value.map((sent) => json(JSON.stringify(sent))) },
    { weight: 8, arbitrary: fc.constant(encoded('binary/null')) },
    { weight: 14, arbitrary: fc.constantFrom(...BROKEN) },
    { weight: 9, arbitrary: fc.constantFrom(...ODD_JSON).map(json) },
    { weight: 1, arbitrary: huge.map((make) => make()) },
  );

/** Names that no workflow of ours knows, and some that the SDK or JavaScript does. */
export const NO_NAMES = [
  ...['reviev', 'Progress', 'progress ', 'start', '__stack_trace', '__enhanced_stack_trace', '__temporal_x'],
  ...['__temporal_workflow_metadata', '__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'],
  ...['default', 'then', '__defineGetter__', 'x'.repeat(900), 'größer 😀', '`**x**`', 'a\nb', ''],
];

const HANDLER_NAMES = Object.values(HANDLERS);
const messageNamed = (kind: MessageKind, known: readonly string[]) =>
  fc
    .oneof(
      { weight: 4, arbitrary: fc.constantFrom(...known) },
      { weight: 1, arbitrary: fc.constantFrom(...NO_NAMES) },
    )
    .chain((name) =>
      fc.record({
        kind: fc.constant(kind),
        name: fc.constant(name),
        payloads: fc.oneof(
          { weight: 12, arbitrary: fc.tuple(payloadFor(name)) as fc.Arbitrary<RawPayload[]> },
          { weight: 2, arbitrary: fc.constant<RawPayload[]>([]) },
          { weight: 2, arbitrary: fc.array(payloadFor(name), { minLength: 2, maxLength: 3 }) },
        ),
        target: fc.nat(),
      }),
    );

const message: fc.Arbitrary<FuzzMessage> = fc.oneof(
  { weight: 2, arbitrary: messageNamed('start', Object.values(WORKFLOWS)) },
  { weight: 3, arbitrary: messageNamed('signal', HANDLER_NAMES) },
  { weight: 3, arbitrary: messageNamed('update', HANDLER_NAMES) },
  { weight: 2, arbitrary: messageNamed('query', HANDLER_NAMES) },
);

/** The same seed, the same messages. */
export function fuzzMessages(count: number, seed: number): FuzzMessage[] {
  return fc.sample(message, { numRuns: count, seed });
}
