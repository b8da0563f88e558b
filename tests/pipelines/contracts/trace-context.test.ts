import { expect, test } from 'vitest';
import {
  parseTraceparent,
  traceOfExecution,
  traceparentOf,
} from '../../../pipelines/contracts/trace-context.ts';

// The header's example in https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers
const EXAMPLE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const RUN_ID = '01a22541-cf00-709f-aba5-9c78ed58e125';

test('a traceparent is read, and written as it was', () => {
  const context = parseTraceparent(EXAMPLE)!;
  expect(context).toEqual({
    ...{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', isSampled: true },
  });
  expect(traceparentOf(context)).toBe(EXAMPLE);
  expect(parseTraceparent(EXAMPLE.replace(/01$/, '00'))).toMatchObject({ isSampled: false });
});

test.each([
  ...[undefined, null, 7, {}, '', 'kunde-17', EXAMPLE.toUpperCase(), `${EXAMPLE}x`],
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
])('what is none is none: %s', (sent) => {
  expect(parseTraceparent(sent)).toBeNull();
});

test('an execution has one span, on every worker and in every replay, and another one no other', () => {
  const startedIn = parseTraceparent(EXAMPLE);
  expect(traceOfExecution(RUN_ID, startedIn)).toEqual(traceOfExecution(RUN_ID, startedIn));
  const { traceId, spanId } = traceOfExecution(RUN_ID, startedIn);
  expect(traceId).toBe(startedIn!.traceId);
  expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(traceOfExecution(RUN_ID.replace(/5$/, '6'), startedIn).spanId).not.toBe(spanId);
});

test('a span id is the 64-bit FNV-1a hash of the run id', () => {
  // Expected value: the reference's test vector of "foobar", http://www.isthe.com/chongo/src/fnv/test_fnv.c
  expect(traceOfExecution('foobar', null).spanId).toBe('85944171f73967e8');
});

test('without a trace that it was started in, the run id without dashes is the id of its own', () => {
  expect(traceOfExecution(RUN_ID, null)).toMatchObject({
    ...{ traceId: '01a22541cf00709faba59c78ed58e125', isSampled: true },
  });
  expect(traceOfExecution('no UUID', null).traceId).toMatch(/^[0-9a-f]{32}$/);
});
