import { describe, expect, test } from 'vitest';
import { formatCron } from '../../../pipelines/contracts/cron.ts';
import { completeDefinition, parseDefinition, parseFiles } from '../../../pipelines/contracts/definition.ts';
import { digestOf } from '../../../store/artifacts/json.ts';
import { shortDefinition } from '../../helpers/short-definition.ts';

const schedulesOf = (schedule: string) =>
  parseFiles('books', shortDefinition({ pipeline: 'books', schedule })).schedules;
const cronsOf = (frequency: string) =>
  schedulesOf(`{ kind: assign, timezone: UTC, frequency: ${frequency} }`)[0]!.frequency.map(formatCron);

describe('the section schedule', () => {
  test('one schedule is called by its kind and filled with the defaults', () => {
    const [schedule, ...others] = schedulesOf(
      '{ kind: refit, frequency: "0 4 1 * *", timezone: Europe/Berlin }',
    );
    expect(others).toEqual([]);
    expect(schedule).toEqual({
      name: 'refit',
      kind: 'refit',
      frequency: schedule!.frequency,
      timezone: 'Europe/Berlin',
      overlap: 'buffer_all',
      catchupWindowHours: 72,
      pauseOnFailure: false,
      jitterMinutes: 0,
    });
  });

  test('several are a list, each with a name of its own', () => {
    const list = `
  - { kind: assign, frequency: "15 * * * *" }
  - { name: monthly, kind: refit, frequency: { every: month, at: "04:00" }, timezone: UTC, paused: true, note: the model }
`;
    expect(schedulesOf(list).map(({ name, paused, note }) => [name, paused, note])).toEqual([
      ['assign', undefined, undefined],
      ['monthly', true, 'the model'],
    ]);
  });

  test.each([
    ['{ every: day, at: "02:30" }', ['30 2 * * *']],
    ['{ every: day, at: ["02:30", "14:00"] }', ['0 14 * * *', '30 2 * * *']],
    ['{ every: weekday, at: "06:00" }', ['0 6 * * 1-5']],
    ['{ every: week, on: sunday, at: "06:00" }', ['0 6 * * 0']],
    ['{ every: week, on: [friday, monday], at: "06:00" }', ['0 6 * * 1,5']],
    ['{ every: month, at: "04:00" }', ['0 4 1 * *']],
    ['{ every: month, on: [15, 1], at: "04:00" }', ['0 4 1,15 * *']],
    ['["0 2 * * *", { every: day, at: "14:00" }]', ['0 14 * * *', '0 2 * * *']],
    ['["0 2 * * *", { every: day, at: "02:00" }]', ['0 2 * * *']],
    ['30 2 * * *', ['30 2 * * *']],
  ])('the frequency %s is %j', (frequency, crons) => {
    expect(cronsOf(frequency.startsWith('30') ? `"${frequency}"` : frequency)).toEqual(crons);
  });

  test.each([
    ['daily', /pipeline\.yaml: schedule: .*expected object/],
    ['{ frequency: "0 2 * * *", timezone: UTC }', /schedule\.kind: .*"refit"\|"assign"/],
    ['{ kind: assign, timezone: UTC }', /schedule\.frequency: needs a cron expression .*words such as/],
    ['{ kind: assign, timezone: UTC, frequency: [] }', /schedule\.frequency: needs a cron expression/],
    [
      '{ kind: assign, timezone: UTC, frequency: "0 2 * *" }',
      /schedule\.frequency: needs five fields .*found "0 2 \* \*"/,
    ],
    [
      '[{ kind: assign, timezone: UTC, frequency: ["0 2 * * *", "x"] }]',
      /schedule\.0\.frequency\.1: needs five fields/,
    ],
    [
      '{ kind: assign, timezone: UTC, frequency: { every: day, at: "2:30" } }',
      /schedule\.frequency\.at\.0: needs a time of day/,
    ],
    [
      '{ kind: assign, timezone: UTC, frequency: { every: month, on: 31, at: "02:30" } }',
      /needs a day that every month has/,
    ],
    [
      '{ kind: assign, timezone: UTC, frequency: { every: year, at: "02:30" } }',
      /schedule\.frequency\.every/,
    ],
    [
      '{ kind: assign, frequency: "0 2 * * *" }',
      /schedule\.timezone: needs an IANA time zone .* since hours of 0 2 \* \* \*/,
    ],
    ['{ kind: assign, frequency: "* * 1 * *" }', /schedule\.timezone: needs an IANA time zone/],
    [
      '{ kind: assign, frequency: "0 2 * * *", timezone: Berlin }',
      /schedule\.timezone: needs an IANA time zone .*found "Berlin"/,
    ],
    [
      '{ kind: assign, frequency: "0 2 * * *", timezone: europe/berlin }',
      /schedule\.timezone: needs the spelling Europe\/Berlin/,
    ],
    [
      '{ kind: assign, frequency: "0 2 * * *", timezone: "+01:00" }',
      /schedule\.timezone: needs an IANA time zone/,
    ],
    [
      '{ kind: assign, frequency: "0 2 * * *", timezone: UTC, overlap: SKIP }',
      /schedule\.overlap: .*"skip"\|"buffer_one"/,
    ],
    [
      '{ kind: assign, frequency: "0 2 * * *", timezone: UTC, catchupWindowHours: 0 }',
      /schedule\.catchupWindowHours/,
    ],
    ['{ kind: assign, frequency: "0 2 * * *", timezone: UTC, jitter: 5 }', /schedule: .*jitter/],
    [
      '[{ kind: refit, frequency: "0 * * * *" }, { kind: refit, frequency: "0 * * * *" }]',
      /schedule\.1\.name: needs a name of its own, another schedule is called refit/,
    ],
    ['{ name: Nightly, kind: refit, frequency: "0 * * * *" }', /schedule\.name: needs lower-case letters/],
  ])('%s is refused with its place and what it needs', (schedule, message) => {
    expect(() => schedulesOf(schedule)).toThrow(expect.objectContaining({ code: 'DEFINITION_INVALID' }));
    expect(() => schedulesOf(schedule)).toThrow(message);
  });

  test('a run that starts by itself needs a file to read', () => {
    const files = shortDefinition({ pipeline: 'books', schedule: '{ kind: refit, frequency: "0 * * * *" }' });
    const pathless = { ...files, pipeline: files.pipeline.replace(/ +path: .*\n/, '') };
    expect(() => parseFiles('books', pathless)).toThrow(
      /pipeline\.yaml: source\.path: needs a file or patterns/,
    );
    const unscheduled = { ...pathless, pipeline: pathless.pipeline.replace(/schedule: .*/, 'schedule: []') };
    expect(parseFiles('books', unscheduled).schedules).toEqual([]);
  });

  test('is no part of the definition that a run freezes: another hour is no other definition', () => {
    const without = parseDefinition('books', shortDefinition({ pipeline: 'books' }));
    const schedule = '{ kind: refit, frequency: "0 * * * *" }';
    const given = parseDefinition('books', shortDefinition({ pipeline: 'books', schedule }));
    expect(given).not.toHaveProperty('schedule');
    expect(digestOf(given)).toBe(digestOf(without));
    expect(completeDefinition(given)).toEqual(without);
  });
});
