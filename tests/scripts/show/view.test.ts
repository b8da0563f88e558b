import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { drawRun } from '../../../scripts/show/draw.ts';
import type { RunFacts } from '../../../scripts/show/facts.ts';
import { createTeller } from '../../../scripts/show/lines.ts';
import { viewOf } from '../../../scripts/show/view.ts';
import { activity, after, execution, facts, msAfter, progress, record, stage, summary } from './facts.ts';

const PLACES = { run: 'http://ui/run' };
const drawn = (changes: Partial<RunFacts>, seconds = 10) =>
  drawRun(viewOf(facts(changes), msAfter(seconds)), { places: PLACES, nowMs: msAfter(seconds) }).map((line) =>
    stripVTControlCharacters(line),
  );

const said = (name: 'extract' | 'validate' | 'profile' | 'features', ms: number) => ({
  stage: name,
  ms,
  says: `${name}d`,
});
const DONE = [said('extract', 1_000), said('validate', 2_000), said('profile', 500), said('features', 500)];
const AT_CLUSTER = {
  stages: [stage('extract', 1_000, { rows: 1_010 }), stage('validate', 2_000, { rows: 10, attempt: 2 })],
  progress: progress({ stage: 'cluster', done: DONE }),
  execution: execution({
    activities: [
      activity('fitClusters', { stage: 'cluster', startedAt: after(6), heartbeat: { done: 25, of: 100 } }),
    ],
  }),
  usual: {
    ms: {
      extract: 1_000,
      validate: 2_000,
      profile: 500,
      features: 500,
      cluster: 12_000,
      match: 100,
      name: 100,
    },
    runs: 3,
  },
};

describe('what strata show draws of a run that goes on', () => {
  test('each stage with its time, its share and what it found; where it is, and what is left', () => {
    expect(drawn(AT_CLUSTER)).toEqual([
      '▸ running  shop as of 2026-07-01 run_0123456789abcdef',
      'refit, started 2026-07-01 04:05:06Z, 10 s ago',
      'workflow segment/shop/2026-07-01',
      '',
      '✓ extract    1.0 s  ██       13 %  1,010  extractd',
      '✓ validate   2.0 s  ████     25 %     10  validated, attempt 2',
      '✓ profile    0.5 s  █         6 %         profiled',
      '✓ features   0.5 s  █         6 %         featuresd',
      '▸ cluster    4.0 s  ████████ 50 %         ███░░░░░░░░░ 25 of 100, 9.8 s left',
      '○ match',
      '○ name',
      '○ persist',
      '○ stability',
      '○ publish',
      '○ notify',
      '',
      'run  http://ui/run',
    ]);
  });

  test('of a stage in parts how many are done, those that are going on for as much as they say', () => {
    const half = { stage: 'features', heartbeat: { done: 50, of: 100 } } as const;
    const lines = drawn({
      ...AT_CLUSTER,
      progress: progress({
        ...{ stage: 'features', done: DONE.slice(0, 3) },
        parts: { done: 3, of: 8, since: after(5) },
      }),
      execution: execution({
        activities: [activity('aggregatePart', half), activity('aggregatePart', half)],
      }),
      usual: { ms: {}, runs: 0 },
    });
    expect(lines).toContain(
      '▸ features   5.0 s  ████████ 59 %         ██████░░░░░░ 4 of 8 parts, 5.0 s left',
    );
  });

  test('with past runs of all stages, how long the whole still takes', () => {
    const rest = { persist: 200, stability: 200, publish: 100, notify: 100 };
    const lines = drawn({ ...AT_CLUSTER, usual: { ms: { ...AT_CLUSTER.usual.ms, ...rest }, runs: 3 } });
    expect(lines).toContain('█████████░░░░░░░░░░░ 43 %, about 11 s left (own pace, 3 past runs)');
  });

  test('a stage without a heartbeat that takes longer than usual says so', () => {
    const slow = activity('fitClusters', { stage: 'cluster', startedAt: after(6) });
    const lines = drawn({ ...AT_CLUSTER, execution: execution({ activities: [slow] }) }, 60);
    expect(lines.find((line) => line.includes('cluster'))).toMatch(/54 s .* longer than its usual 12 s$/);
  });

  test('a failed attempt is told in words, with when the next one begins', () => {
    const retried = activity('persistRun', {
      ...{ stage: 'persist', attempt: 3, isStarted: false, nextAt: after(14) },
      fault: 'PostgreSQL needs to answer, found: ECONNREFUSED (POSTGRES_UNREACHABLE)',
    });
    expect(drawn({ execution: execution({ activities: [retried] }) })).toContain(
      '! persist, attempt 3 of 10 begins in 4.0 s, after: PostgreSQL needs to answer, found: ECONNREFUSED (POSTGRES_UNREACHABLE)',
    );
  });

  test('sentences are broken between words where the terminal ends', () => {
    const retried = activity('persistRun', {
      stage: 'persist',
      attempt: 2,
      fault: 'PostgreSQL needs to answer',
    });
    const view = viewOf(facts({ execution: execution({ activities: [retried] }) }), msAfter(1));
    const lines = drawRun(view, { places: PLACES, nowMs: msAfter(1), width: 40 });
    expect(lines.slice(4, 6).map((line) => stripVTControlCharacters(line))).toEqual([
      '! persist, attempt 2 of 10 is going on,',
      '  after: PostgreSQL needs to answer',
    ]);
  });

  test('after a reset, what the execution before it had done is ahead again', () => {
    const { stages } = viewOf(
      facts({
        stages: [stage('extract', 5), stage('validate', 5)],
        progress: progress({ done: [said('extract', 5)] }),
      }),
      msAfter(1),
    );
    expect(stages.slice(0, 2).map(({ state }) => state)).toEqual(['done', 'ahead']);
  });

  test('where no worker answers, the log tells what is done', () => {
    const { stages } = viewOf(facts({ stages: [stage('extract', 5)], progress: null }), msAfter(1));
    expect(stages.slice(0, 2).map(({ state }) => state)).toEqual(['done', 'ahead']);
  });

  test('an assign run has stages of its own', () => {
    const { stages } = viewOf(facts({ record: record({ kind: 'assign' }) }), msAfter(1));
    expect(stages.map((each) => each.stage)).toContain('assign');
    expect(stages.map((each) => each.stage)).not.toContain('profile');
  });

  test('one that PostgreSQL does not know is shown by what Temporal does', () => {
    const lines = drawn({
      ...{ record: null, progress: null, input: { pipeline: 'shop', extract: 'orders.csv' } },
      execution: execution({ unattended: ['strata'], task: { attempt: 1, isStarted: false, fault: null } }),
    });
    expect(lines.slice(0, 6)).toEqual([
      '▸ running  shop run_0123456789abcdef',
      'refit, started 2026-07-01 04:05:06Z, 10 s ago',
      'asked for extract orders.csv',
      'workflow segment/shop/2026-07-01',
      '',
      '⏸ waits for a worker: none has asked for work on strata in the last minutes',
    ]);
  });
});

describe('what it waits for', () => {
  const waits = (changes: Partial<RunFacts>) => viewOf(facts(changes), msAfter(10)).waits;

  test('a person: until when, what counts then, and what to type', () => {
    const held = record({
      outcome: 'held',
      heldAt: after(9),
      summary: summary({ outcome: 'held', reasons: ['why'] }),
    });
    const lines = drawn({
      ...{ record: held, progress: progress({ outcome: 'held' }) },
      review: { timeoutHours: 48, onTimeout: 'reject' },
    });
    expect(lines[0]).toMatch(/^⏸ held for review {2}shop/);
    expect(lines.slice(4, 7)).toEqual([
      "⏸ waits for a person's review; then the definition says reject (until 2026-07-03 04:05:15Z)",
      '    npm run strata -- review run_0123456789abcdef publish',
      '    npm run strata -- review run_0123456789abcdef reject',
    ]);
    expect(lines).toContain('  · why');
  });

  test('a run that was decided on goes on, whatever its record still says', () => {
    const held = record({ outcome: 'held', heldAt: after(9), summary: summary({ outcome: 'held' }) });
    expect(viewOf(facts({ record: held, progress: progress() }), msAfter(10))).toMatchObject({
      ...{ state: 'running', summary: null, waits: [] },
    });
  });

  test('another run: with the command that shows it, also where no worker answers', () => {
    const earlier = { runId: 'run_1', workflow: { id: 'segment/shop/latest' } };
    const says = 'waits for run run_1 of segment/shop/latest: runs of one pipeline go one after another';
    const expected = [{ for: 'run', says, until: null, commands: ['npm run strata -- show run_1'] }];
    expect(waits({ earlier, progress: progress({ waitsFor: 'segment/shop/latest' }) })).toEqual(expected);
    const silent = { earlier, progress: null, execution: execution({ activities: [activity('awaitTurn')] }) };
    expect(waits(silent)).toEqual(expected);
  });

  test('its own code: the attempt, and why', () => {
    const task = { attempt: 7, isStarted: false, fault: 'history does not fit' };
    expect(waits({ execution: execution({ task }) })[0]!.says).toMatch(
      /workflow code fails, attempt 7: history does not fit/,
    );
  });

  test('a person who paused it', () => {
    const paused = progress({ paused: { because: 'lunch', before: null, standsBefore: 'match' } });
    expect(waits({ progress: paused })).toMatchObject([
      { says: 'is paused before match (lunch)', commands: ['npm run strata -- resume run_0123456789abcdef'] },
    ]);
    const wanted = progress({ paused: { because: null, before: 'publish', standsBefore: null } });
    expect(waits({ progress: wanted })[0]!.says).toBe('pauses before publish');
  });

  test('nothing any more, where its workflow is gone', () => {
    const view = viewOf(facts({ execution: null, progress: null, temporal: 'forgotten' }), msAfter(10));
    expect(view.state).toBe('lost');
    expect(view.waits[0]!.says).toMatch(/its workflow is gone/);
  });
});

describe('what it draws of a run that has ended', () => {
  const ended = (outcome: 'published' | 'failed' | 'rejected', reasons: string[] = []) => ({
    ...{ execution: null, progress: null, temporal: 'forgotten' as const },
    record: record({ outcome, closedAt: after(75), summary: summary({ outcome, reasons }), reasons }),
  });

  test('of one long gone from Temporal, all from what was kept: stages, counts, segments', () => {
    const stages = [
      { stage: 'extract' as const, ms: 100, digests: {} },
      { stage: 'validate' as const, ms: 300, digests: {} },
    ];
    const kept = record({ outcome: 'published', closedAt: after(75), summary: summary({ stages }) });
    const lines = drawn({ ...ended('published'), record: kept }, 999);
    expect(lines.slice(0, 7)).toEqual([
      '✓ published  shop as of 2026-07-01 run_0123456789abcdef',
      'refit, 2026-07-01 04:05:06Z to 04:06:21Z, 1 min 15 s',
      'workflow segment/shop/2026-07-01',
      '',
      '✓ extract    0.1 s  ███      25 %',
      '✓ validate   0.3 s  ████████ 75 %',
      '– profile',
    ]);
    expect(lines).toContain('1,000 rows = 990 accepted + 10 in quarantine; 10 customers');
    expect(lines).toContain('Active regulars          6  60.0 %  ████████████████');
  });

  test('of one that failed, where it broke and why', () => {
    const lines = drawn({
      ...ended('failed', ['disk full (ARTIFACT_DISK_FULL)']),
      stages: [stage('extract', 100)],
    });
    expect(lines.find((line) => line.includes('validate'))).toBe('✗ validate');
    expect(lines.find((line) => line.includes('profile'))).toBe('– profile');
    expect(lines).toContain('  · disk full (ARTIFACT_DISK_FULL)');
  });

  test('of one that its workflow has ended and its record not yet, what the workflow returned', () => {
    const closed = execution({ status: 'COMPLETED', isOpen: false, closedAt: after(20) });
    const view = viewOf(facts({ execution: closed, result: summary({ outcome: 'rejected' }) }), msAfter(30));
    expect(view).toMatchObject({ state: 'rejected', isOver: true, elapsedMs: 20_000 });
  });

  test('of one that failed before it was registered, why', () => {
    const closed = execution({ status: 'FAILED', isOpen: false, closedAt: after(1) });
    const failure = 'the input has an unknown field (INPUT_INVALID)';
    const lines = drawn({ execution: closed, record: null, progress: null, failure });
    expect(lines[0]).toMatch(/^✗ failed {2}shop/);
    expect(lines).toContain(`  · ${failure}`);
    expect(lines).toContain('– extract');
  });

  test.each([
    ['CANCELLED', 'cancelled'],
    ['TERMINATED', 'failed'],
    ['TIMED_OUT', 'failed'],
  ])('of one whose workflow is %s, that it %s', (status, state) => {
    const closed = execution({ status, isOpen: false, closedAt: after(20) });
    expect(viewOf(facts({ execution: closed, record: null, progress: null }), msAfter(30)).state).toBe(state);
  });
});

describe('where no terminal is', () => {
  test('each stage, wait and failed attempt is one line, however often it is looked at', () => {
    const lines: string[] = [];
    const { tell } = createTeller((line) => lines.push(line));
    const retried = activity('fitClusters', {
      stage: 'cluster',
      attempt: 2,
      fault: 'a thread ended (KERNEL_FAILED)',
    });
    for (let seconds = 10; seconds < 200; seconds += 1) {
      const isLater = seconds > 50;
      const seen = facts({
        ...AT_CLUSTER,
        ...(isLater && { execution: execution({ activities: [retried] }) }),
      });
      tell(viewOf(seen, msAfter(seconds)), msAfter(seconds));
    }
    expect(lines.slice(0, 6)).toEqual([
      '✓ extract · extractd (1.0 s)',
      '✓ validate · validated (2.0 s, attempt 2)',
      '✓ profile · profiled (0.5 s)',
      '✓ features · featuresd (0.5 s)',
      '! cluster failed, attempt 2 follows: a thread ended (KERNEL_FAILED)',
      '… cluster 1 min 10 s',
    ]);
    // It says once a minute that it is not dead.
    expect(lines.slice(6).every((line) => line.startsWith('… cluster '))).toBe(true);
    expect(lines.length).toBe(9 - 1);
  });
});
