import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { guessRoles, openQuestions } from '../../pipelines/init/guess-roles.ts';
import { converse, type Terminal } from '../../scripts/init/converse.ts';
import { decide } from '../../scripts/init/decide.ts';
import { column, list, moments, money, people, table } from '../pipelines/init/made-facts.ts';

/** A person who types one answer to each question. */
function person(answers: string[]) {
  const input = new PassThrough();
  const output = new PassThrough();
  let screen = '';
  let asked = 0;
  output.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    // One answer for each question mark at the beginning of a line.
    const questions = stripVTControlCharacters(screen).match(/(?:^|[\n\r])\? /g)?.length ?? 0;
    while (asked < questions && asked < answers.length) {
      const answer = answers[asked++]!;
      setImmediate(() => (answer === '^D' ? input.end() : input.write(`${answer}\r`)));
    }
  });
  const terminal = { input, output, signal: new AbortController().signal, onInterrupt: () => undefined };
  const talk = converse(terminal as unknown as Terminal, { day: ['3/4/2026'] });
  return { talk, screen: () => stripVTControlCharacters(screen) };
}

const GIVEN = { roles: {}, times: [], isYes: false };
const facts = table([people('customer'), moments('date'), money('total'), list('kind'), list('category')]);

describe('on a terminal', () => {
  test('what is right is confirmed; zone and money are asked for', async () => {
    const { talk, screen } = person(['', 'eur', 'europe/berlin']);
    const decided = await decide(facts, GIVEN, talk);
    talk.close();
    expect(decided).toMatchObject({
      roles: { customer: 'customer', time: 'date', amount: 'total', category: 'category' },
      currency: 'EUR',
      timezone: 'Europe/Berlin',
    });
    expect(screen()).toMatch(/its name says customer/);
    expect(screen()).toMatch(/carry no zone/);
  });

  test('what is wrong is corrected, and a mistyped answer asked again', async () => {
    const { talk, screen } = person([
      'category=sort',
      'category=kind',
      '',
      'pounds',
      'GBP',
      'GMT+1',
      'Europe/London',
    ]);
    const decided = await decide(facts, GIVEN, talk);
    talk.close();
    expect(decided.roles.category).toBe('kind');
    expect(decided).toMatchObject({ currency: 'GBP', timezone: 'Europe/London' });
    expect(screen()).toMatch(/has no such column/);
    expect(screen()).toMatch(/needs an ISO 4217 code/);
    expect(screen()).toMatch(/needs an IANA time zone/);
  });

  test('what cannot be told is asked for, by number or by name', async () => {
    const two = table([people('a'), moments('b'), money('total net'), money('total gross')]);
    expect(openQuestions(guessRoles(two)).map(({ role }) => role)).toEqual(['customer', 'amount']);
    const { talk } = person(['A', '2', '', 'EUR', 'UTC']);
    const { roles } = await decide(two, GIVEN, talk);
    talk.close();
    expect(roles).toMatchObject({ customer: 'a', time: 'b', amount: 'total net' });
  });

  test('dates that can be read in two ways are told apart by the person', async () => {
    const day = column('day', { distinct: 300, time: { formats: ['%d/%m/%Y'], rivals: ['%m/%d/%Y'] } });
    const { talk, screen } = person(['', '2', 'USD', 'America/New_York']);
    const { times } = await decide(table([people('customer'), day, money('total')]), GIVEN, talk);
    talk.close();
    expect(times).toEqual(['%m/%d/%Y']);
    expect(screen()).toContain('3/4/2026');
  });

  test('who leaves in the middle is told that nothing was written', async () => {
    const { talk } = person(['', '^D']);
    await expect(decide(facts, GIVEN, talk)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('nothing was written'),
    });
  });

  test('guesses that are taken unasked leave zone and money to ask', async () => {
    const { talk, screen } = person(['CHF', 'Europe/Zurich']);
    const decided = await decide(facts, { ...GIVEN, isYes: true }, talk);
    talk.close();
    expect(decided).toMatchObject({ currency: 'CHF', timezone: 'Europe/Zurich' });
    expect(screen()).not.toMatch(/Is that right/);
  });
});
