import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runIdOf } from '../../activities/run.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import type { ReplayedOne } from '../../scripts/replay-command.ts';
import { historiesIn, historyOf, type KeptHistory, workflowOf } from '../../scripts/replay-histories.ts';
import { replayFigures, replayLine, replayReport } from '../../scripts/replay-report.ts';
import { findKept } from '../../scripts/replay-sources.ts';

const HISTORIES = join(PROJECT_FOLDER, 'tests/histories');
const committed = () => historiesIn(HISTORIES, 'fixture');

async function workflowOfFixture(name: string) {
  const text = await readFile(join(HISTORIES, `${name}.json`), 'utf8');
  return workflowOf(historyOf(text))!;
}

describe('the history of a run that a person names', () => {
  test('is found by its run id, the beginning of it, or its workflow id, in one walk', async () => {
    const published = await workflowOfFixture('published');
    const rejected = await workflowOfFixture('rejected');
    const runId = runIdOf(published);
    const asked = [runId, runId.slice('run_'.length, 'run_'.length + 10), rejected.id];
    const found = await findKept(committed(), asked);
    expect(found.map((one) => one.asked)).toEqual(asked);
    expect(found.map(({ histories }) => histories.map(({ name }) => name))).toEqual([
      ...[[published.id], [published.id], [rejected.id]],
    ]);
    expect(workflowOf(historyOf((await found[2]!.histories[0]!.read())!))).toEqual(rejected);
  });

  test('is none where there is none; a file that is no history is nobody’s', async () => {
    async function* broken(): AsyncGenerator<KeptHistory> {
      yield { name: 'broken', read: async () => 'no JSON' };
      yield { name: 'gone', read: async () => null };
    }
    expect(await findKept(broken(), ['run_0'])).toEqual([{ asked: 'run_0', histories: [] }]);
  });

  test('is none by the id that a run would have, where the workflow is no run', async () => {
    const runId = runIdOf(await workflowOfFixture('compared'));
    expect(await findKept(committed(), [runId])).toEqual([{ asked: runId, histories: [] }]);
  });

  test('is asked for once more where several runs begin so', async () => {
    await expect(findKept(committed(), ['run_'])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('type more of the id'),
    });
  });
});

const replayed = (change: Partial<ReplayedOne> = {}): ReplayedOne => ({
  ...{ source: 'running', name: 'segment/shop/2026-06-01', events: 34, fault: null, event: null },
  workflow: { id: 'segment/shop/2026-06-01', runId: '0198', type: 'segmentCustomers' },
  ...change,
});

const BROKEN = replayed({
  fault: 'the workflow code now decides otherwise: [TMPRL1100] Nondeterminism error',
  event: '17 ActivityTaskScheduled',
});

describe('what is told of a replay', () => {
  const told = (all: ReplayedOne[], isRunningAsked = true) => {
    const { isSound, text } = replayReport(all, { isRunningAsked });
    return { isSound, text: stripVTControlCharacters(text) };
  };

  test('a server with nothing running is success, and says so', () => {
    expect(told([])).toEqual({
      isSound: true,
      text: '0 histories, 0 replay\nnothing of ours is running on the server: nothing has to resume',
    });
  });

  test('what runs is counted by type; one that would not resume is named with its event, its reason and the way out', () => {
    const inbox = replayed({ workflow: { id: 'inbox-shop', runId: '0199', type: 'pipelineInbox' } });
    expect(told([replayed(), replayed(), inbox])).toEqual({
      isSound: true,
      text: "3 histories, 3 replay\nrunning: 2 segmentCustomers, 1 pipelineInbox; all resume under today's code",
    });
    const { isSound, text } = told([replayed(), BROKEN]);
    expect(isSound).toBe(false);
    expect(text).toContain("1 would not resume under today's code");
    expect(text).toContain('patched()');
    expect(text).toContain('leave workers of the old version running');
    const line = stripVTControlCharacters(replayLine(BROKEN));
    expect(line).toBe(
      '✗ segment/shop/2026-06-01  segmentCustomers  34 events\n' +
        '    workflow segment/shop/2026-06-01, run 0198\n' +
        '    at event 17 ActivityTaskScheduled: the workflow code now decides otherwise: [TMPRL1100] Nondeterminism error',
    );
  });

  test('a kept one that is broken has no old version to be left running', () => {
    const { text } = told([{ ...BROKEN, source: 'kept' }], false);
    expect(text).not.toContain('old version');
    expect(text).toContain('take the change back');
  });

  test('the figures count what is broken', () => {
    expect(replayFigures([replayed(), BROKEN])).toMatchObject({ replayed: 2, broken: 1 });
  });
});
