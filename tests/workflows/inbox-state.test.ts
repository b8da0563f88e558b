import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../pipelines/contracts/inbox-message.ts';
import { type InboxSettings, inboxSettings } from '../../pipelines/contracts/inbox-settings.ts';
import {
  type InboxState,
  KEPT,
  nothingYet,
  restMs,
  runEnded,
  startNext,
  take,
  underSettings,
  viewOf,
} from '../../workflows/inbox-state.ts';

const settingsWith = (change: object = {}) => inboxSettings.parse({ settleSeconds: 10, ...change });
const TWO = settingsWith({ inputs: ['orders', 'customers'], extract: 'orders', deadlineMinutes: 60 });
const MINUTE = 60_000;

const message = (name: Message['name'], change: Partial<Message> = {}): Message => ({
  ...{ name, input: null, kind: null, extract: null, asOf: null, id: null },
  ...change,
});
const landed = (input: string | null = null, change: Partial<Message> = {}) =>
  message('extractLanded', { input, ...change });
const request = (change: Partial<Message> = {}) => message('requestRun', change);
const idOf = ({ number }: { number: number }) => `run-${number}`;
const END = { outcome: 'published' as const, runId: 'run_1', reason: null };

/** Messages at their times, one after another. */
function taken(settings: InboxSettings, ...sent: [now: number, sent: Message][]): InboxState {
  return sent.reduce((state, [now, one]) => take(state, one, { settings, now })[0], nothingYet());
}

describe('when a run starts', () => {
  test('inputs wait for each other, then for the window, however late in it one comes again', () => {
    const one = taken(TWO, [0, landed('orders')]);
    expect(startNext(one, { settings: TWO, now: 59 * MINUTE, idOf })).toBeNull();
    expect(restMs(one, { settings: TWO, now: 0 })).toBe(60 * MINUTE);
    const both = taken(TWO, [0, landed('orders')], [5_000, landed('customers')], [14_000, landed('orders')]);
    expect(restMs(both, { settings: TWO, now: 14_000 })).toBe(1_000);
    expect(startNext(both, { settings: TWO, now: 14_999, idOf })).toBeNull();
    expect(startNext(both, { settings: TWO, now: 15_000, idOf })!.running).toMatchObject({
      ...{ number: 1, messages: 3, missing: [], workflowId: 'run-1' },
    });
  });

  test('after the deadline it starts with what there is; without one it waits', () => {
    const one = taken(TWO, [0, landed('orders')]);
    expect(startNext(one, { settings: TWO, now: 60 * MINUTE, idOf })!.running).toMatchObject({
      missing: ['customers'],
    });
    const patient = { ...TWO, deadlineMinutes: null };
    expect(restMs(one, { settings: patient, now: 0 })).toBeNull();
    expect(startNext(one, { settings: patient, now: Number.MAX_SAFE_INTEGER, idOf })).toBeNull();
  });

  test('an input that the definition names no more is waited for no longer', () => {
    const one = taken(TWO, [0, landed('orders')]);
    const settings = { ...TWO, inputs: ['orders'] };
    const ready = underSettings(one, { settings, now: 1_000 });
    expect(restMs(ready, { settings, now: 1_000 })).toBe(10_000);
  });

  test('never two at a time', () => {
    const settings = settingsWith();
    const state = taken(settings, [0, request()], [0, request({ kind: 'assign' })]);
    const first = startNext(state, { settings, now: 20_000, idOf })!;
    expect(startNext(first, { settings, now: 30_000, idOf })).toBeNull();
    expect(restMs(first, { settings, now: 30_000 })).toBeNull();
    const second = startNext(runEnded(first, END, 40_000), { settings, now: 40_000, idOf })!;
    expect([first.running!.kind, second.running!.kind]).toEqual(['refit', 'assign']);
    expect(second.last).toMatchObject([{ number: 1, outcome: 'published', endedAt: 40_000 }]);
  });

  test('dates in their order, whichever came first, and what has none at the end', () => {
    const settings = settingsWith();
    let state = taken(
      settings,
      ...[null, '2026-07-02', '2026-07-01'].map((asOf): [number, Message] => [0, request({ asOf })]),
    );
    const order = [];
    for (let now = 20_000; ; now += 1_000) {
      const started = startNext(state, { settings, now, idOf });
      if (started === null) break;
      order.push(started.running!.asOf);
      state = runEnded(started, END, now);
    }
    expect(order).toEqual(['2026-07-01', '2026-07-02', null]);
  });
});

describe('which messages are one run', () => {
  test('landings of one date, and of two files for it the later is read', () => {
    const state = taken(
      TWO,
      [0, landed('orders', { extract: '/a' })],
      [1, landed('orders', { extract: '/b' })],
      [2, landed('customers')],
      [3, landed('orders', { asOf: '2026-07-01' })],
    );
    expect(state.waiting.map(({ messages, extract }) => [messages, extract])).toEqual([
      [3, '/b'],
      [1, null],
    ]);
  });

  test('a request joins what is ready and asks for the same, and does not wait for what is not', () => {
    const waits = taken(TWO, [0, landed('orders')], [1_000, request()]);
    const alone = startNext(waits, { settings: TWO, now: 11_000, idOf })!;
    expect(alone.running).toMatchObject({ number: 2, messages: 1 });
    expect(alone.waiting).toMatchObject([{ number: 1, landed: ['orders'] }]);
    const ready = taken(TWO, [0, landed('orders')], [0, landed('customers')], [9_000, request({ id: 'a' })]);
    const both = startNext(ready, { settings: TWO, now: 10_000, idOf })!;
    expect(both).toMatchObject({ waiting: [], running: { number: 1, messages: 3 }, seen: [['a', 1]] });
  });

  test('requests of two files are two runs', () => {
    const state = taken(settingsWith(), [0, request({ extract: '/a' })], [0, request({ extract: '/b' })]);
    expect(state.waiting).toHaveLength(2);
  });

  test('one sent again is in the run that it was in, also when that has ended', () => {
    const settings = settingsWith();
    const state = taken(settings, [0, request({ id: 'a' })]);
    const ended = runEnded(startNext(state, { settings, now: 20_000, idOf })!, END, 30_000);
    const [again, answer] = take(ended, request({ id: 'a', asOf: '2026-07-01' }), { settings, now: 40_000 });
    expect(answer).toMatchObject({ answer: 'repeated', number: 1 });
    expect(again).toMatchObject({ waiting: [], counts: { taken: 1, repeated: 1 } });
  });
});

describe('what is refused', () => {
  test.each([
    [TWO, landed(), "needs input, one of the pipeline's inputs (orders, customers); found none"],
    [TWO, landed('order'), 'needs as input one of the pipeline\'s inputs (orders, customers), found "order"'],
    [TWO, landed('customers', { extract: '/x' }), 'extract is for the input of the transactions'],
    [settingsWith({ inputs: ['a', 'b'] }), landed('a', { extract: '/x' }), 'it names none'],
  ])('%# a landing that the settings have something against, in words', (settings, sent, words) => {
    const [state, answer] = take(nothingYet(), sent, { settings, now: 0 });
    expect(answer).toContain(words);
    expect(state).toMatchObject({ waiting: [], counts: { refused: 1, taken: 0 } });
    expect(state.refused[0]!.reason).toBe(answer);
  });

  test('an input need not be named where there is one, nor a file be of it', () => {
    for (const inputs of [[], ['orders']]) {
      const settings = settingsWith({ inputs });
      const state = taken(settings, [0, landed(null, { extract: '/x' })]);
      expect(state.waiting).toMatchObject([{ extract: '/x', readyAt: 0 }]);
    }
  });

  test('more runs of other dates than are kept, until some have ended', () => {
    const settings = settingsWith();
    const dates = Array.from({ length: KEPT.waiting }, (_, i) =>
      new Date(i * 86_400_000).toISOString().slice(0, 10),
    );
    const full = taken(settings, ...dates.map((asOf): [number, Message] => [0, request({ asOf })]));
    const [still, refused] = take(full, request({ asOf: '2026-01-01', id: 'a' }), { settings, now: 0 });
    expect(refused).toContain('50 runs of other dates or files wait already');
    // One that joins needs no room.
    expect(take(still, request({ asOf: dates[0]! }), { settings, now: 0 })[1]).toMatchObject({
      answer: 'taken',
    });
    const rested = startNext(still, { settings, now: 20_000, idOf })!;
    expect(take(rested, request({ asOf: '2026-01-01', id: 'a' }), { settings, now: 0 })[1]).toMatchObject({
      answer: 'taken',
    });
  });
});

const dates = fc.constantFrom(null, '2026-07-01', '2026-07-02');
const files = fc.constantFrom(null, '/a', '/b');
const anyMessage = fc.record({
  name: fc.constantFrom<Message['name'][]>('extractLanded', 'requestRun'),
  input: fc.constantFrom('orders', 'customers', 'other', null),
  kind: fc.constantFrom(null, 'refit' as const, 'assign' as const),
  extract: files,
  asOf: dates,
  id: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 30 }).map(String)),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('message' as const), sent: anyMessage }) },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('end' as const) }) },
);
const anySettings = fc.record({
  inputs: fc.constantFrom([], ['orders'], ['orders', 'customers']),
  deadlineMinutes: fc.constantFrom(1, 5),
  settleSeconds: fc.constantFrom(0, 10),
  run: fc.constantFrom('refit' as const, 'assign' as const),
});

describe('laws, whatever comes in whichever order', () => {
  test('each message that is taken is in exactly one run, none is lost, and one that is repeated is in no other', () => {
    fc.assert(
      fc.property(anySettings, fc.array(step, { maxLength: 120 }), (given, steps) => {
        const settings = inboxSettings.parse({
          ...given,
          ...(given.inputs.length > 1 && { extract: 'orders' }),
        });
        let now = 0;
        let state = nothingYet();
        const runOf = new Map<string, number>();
        const inRuns: number[] = [];
        const start = () => {
          const next = startNext(state, { settings, now, idOf });
          if (next === null) return;
          // What is started was taken out of what waits, whole.
          const left = next.waiting.reduce((sum, { messages }) => sum + messages, 0);
          const had = state.waiting.reduce((sum, { messages }) => sum + messages, 0);
          expect(next.running!.messages).toBe(had - left);
          inRuns.push(next.running!.messages);
          state = next;
        };
        for (const one of steps) {
          if (one.does === 'wait') now += one.ms;
          if (one.does === 'end') state = runEnded(state, END, now);
          if (one.does === 'message') {
            const [next, answer] = take(state, one.sent, { settings, now });
            state = next;
            if (typeof answer !== 'string' && one.sent.id !== null) {
              expect(runOf.has(one.sent.id)).toBe(answer.answer === 'repeated');
              runOf.set(one.sent.id, answer.number);
            }
          }
          start();
        }
        // Left alone, everything that waits comes to its run.
        for (let rounds = 0; state.waiting.length > 0 || state.running !== null; rounds++) {
          expect(rounds).toBeLessThan(300);
          state = runEnded(state, END, now);
          now += restMs(state, { settings, now }) ?? 0;
          start();
        }
        expect(inRuns.reduce((sum, messages) => sum + messages, 0)).toBe(state.counts.taken);
        expect(inRuns).toHaveLength(state.counts.runs);
        // Each id is kept once, with a run that there was.
        expect(new Set(state.seen.map(([id]) => id)).size).toBe(state.seen.length);
        expect([...runOf.keys()].sort()).toEqual(state.seen.map(([id]) => id).sort());
        const messages = steps.filter(({ does }) => does === 'message').length;
        const { taken, repeated, refused } = state.counts;
        expect(taken + repeated + refused).toBe(messages);
      }),
      { numRuns: 300 },
    );
  });

  test('a state that has been handed on as JSON goes on as if it had not', () => {
    fc.assert(
      fc.property(anySettings, fc.array(anyMessage, { maxLength: 40 }), fc.nat(40), (given, sent, cut) => {
        const settings = inboxSettings.parse(given);
        const handedOn = (state: InboxState): InboxState => JSON.parse(JSON.stringify(state));
        const run = (isCut: boolean) =>
          sent.reduce((state, one, i) => {
            const [next] = take(state, one, { settings, now: i * 1_000 });
            const started = startNext(next, { settings, now: i * 1_000, idOf }) ?? next;
            return isCut && i === cut ? handedOn(started) : started;
          }, nothingYet());
        expect(run(true)).toEqual(run(false));
      }),
    );
  });

  test('it stays small, whatever comes', () => {
    const settings = settingsWith();
    let state = nothingYet();
    for (let i = 0; i < 5_000; i++) {
      const asOf = new Date(i * 86_400_000).toISOString().slice(0, 10);
      const id = `${i}`.padEnd(100, 'x');
      const extract = '/'.padEnd(1_024, 'x');
      state = take(state, request({ id, asOf, extract }), { settings, now: i * 1_000 })[0];
      if (i % 3 === 0) state = runEnded(state, { ...END, reason: 'x'.repeat(200) }, i * 1_000);
      state = startNext(state, { settings, now: i * 1_000, idOf }) ?? state;
    }
    expect(state.waiting.length).toBeLessThanOrEqual(KEPT.waiting);
    expect(state.seen.length).toBe(KEPT.seen);
    expect(JSON.stringify(state).length).toBeLessThan(250_000);
    const view = viewOf(state, { pipeline: 'shop', settings, blocked: null, unsorted: 0 });
    expect(JSON.stringify(view).length).toBeLessThan(100_000);
  });
});
