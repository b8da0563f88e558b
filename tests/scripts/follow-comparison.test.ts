import { expect, test, vi } from 'vitest';
import { followComparison } from '../../scripts/follow-comparison.ts';

type Parts = Parameters<typeof followComparison>[0];

/** A client whose one workflow answers `describe` with these, in order; an error is thrown. */
function partsWith(answers: unknown[]) {
  const handle = {
    describe: vi.fn(async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    }),
    query: async () => null,
    result: async () => ({ outcome: 'compared' }),
    cancel: vi.fn(async () => undefined),
  };
  const workflow = { start: async () => ({ firstExecutionRunId: 'r' }), getHandle: () => handle };
  const log = { info: () => undefined };
  return { handle, parts: { client: { workflow }, log, addressOf: () => 'here' } as unknown as Parts };
}

const RUNNING = { status: { name: 'RUNNING' }, raw: {} };
const COMPLETED = { status: { name: 'COMPLETED' }, raw: {} };

test('a server that is away for a moment does not end the following', async () => {
  const { parts, handle } = partsWith([RUNNING, new Error('14 UNAVAILABLE'), COMPLETED]);
  const summary = await followComparison(parts, {}, new AbortController().signal);
  expect(summary).toEqual({ outcome: 'compared' });
  expect(handle.describe).toHaveBeenCalledTimes(3);
  expect(handle.cancel).not.toHaveBeenCalled();
});

test('one that stays away ends it with its code and the way out, and cancels nothing', async () => {
  const { parts, handle } = partsWith([]);
  handle.describe.mockImplementation(async () => {
    clock += 40_000;
    throw new Error('14 UNAVAILABLE');
  });
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  try {
    await expect(followComparison(parts, {}, new AbortController().signal)).rejects.toMatchObject({
      code: 'TEMPORAL_UNREACHABLE',
      message: expect.stringMatching(/14 UNAVAILABLE.*the same command joins it/),
    });
    expect(handle.cancel).not.toHaveBeenCalled();
  } finally {
    now.mockRestore();
  }
});

test('an interrupt cancels the comparison', async () => {
  const end = new AbortController();
  const { parts, handle } = partsWith([]);
  handle.describe.mockImplementation(async () => {
    end.abort('SIGINT');
    return RUNNING;
  });
  await expect(followComparison(parts, {}, end.signal)).rejects.toBe('SIGINT');
  expect(handle.cancel).toHaveBeenCalledOnce();
});
