import { EventEmitter } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { age, howLong, inColumn, moment, momentAfter } from '../../../scripts/show/moments.ts';
import { clip, openScreen, widthOf } from '../../../scripts/show/screen.ts';

describe('a line on a terminal', () => {
  test('is cut where the terminal ends, and its colours end with it', () => {
    expect(clip('abc', 3)).toBe('abc');
    expect(clip('abcd', 3)).toBe('ab…');
    expect(clip('\u001b[32mabcd\u001b[39m', 3)).toBe('\u001b[32mab…\u001b[0m');
    expect(clip('\u001b[32mabc\u001b[39m', 3)).toBe('\u001b[32mabc\u001b[39m');
  });

  test('of wide characters takes two columns for each', () => {
    expect(widthOf('顧客')).toBe(4);
    expect(clip('顧客顧客', 6)).toBe('顧客…');
  });
});

describe('a block that is drawn anew', () => {
  function terminal(columns: number, rows: number) {
    const written: string[] = [];
    const stream = Object.assign(new EventEmitter(), {
      columns,
      rows,
      write: (text: string) => written.push(text) > 0,
    });
    return { stream, written, screen: openScreen(stream as never) };
  }

  test('goes back over as many lines as it had, and gives the cursor back once', () => {
    const { screen, written } = terminal(20, 10);
    screen.draw(['one', 'two']);
    screen.draw(['three']);
    screen.end();
    screen.end();
    expect(written).toEqual([
      '\u001b[?25l',
      '\r\u001b[0Jone\ntwo\n',
      '\u001b[2A\r\u001b[0Jthree\n',
      '\u001b[1A\r\u001b[0J\u001b[?25h',
    ]);
  });

  test('is never higher than the terminal, which could not be gone back over', () => {
    const { screen, written } = terminal(20, 4);
    screen.draw(['1', '2', '3', '4', '5']);
    expect(stripVTControlCharacters(written.at(-1)!)).toBe('\r1\n2\n…\n');
  });

  test('keeps what is printed meanwhile above it', () => {
    const { screen, written } = terminal(20, 10);
    screen.draw(['block']);
    screen.print('! a warning');
    expect(written.slice(2).join('')).toBe('\u001b[1A\r\u001b[0J! a warning\n\r\u001b[0Jblock\n');
  });

  test('begins a clean page when the terminal gets another size', () => {
    const { screen, stream, written } = terminal(20, 10);
    screen.draw(['a long line of text']);
    stream.columns = 8;
    stream.emit('resize');
    expect(written.at(-1)).toBe('\u001b[2J\u001b[Ha long…\n');
    screen.end();
    expect(stream.listenerCount('resize')).toBe(0);
  });
});

test('times are told as long as they are', () => {
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
  expect([400, 12 * second, 160 * second, 2.5 * hour, 52 * hour, day].map(howLong)).toEqual([
    ...['0.4 s', '12 s', '2 min 40 s', '2 h 30 min', '2 d 4 h', '1 d 0 h'],
  ]);
  const columns = [0, 400, 9_960, 75 * second, 160 * second, 20 * minute, 3 * hour, 5 * day, 1_000 * day].map(
    inColumn,
  );
  expect(columns).toEqual(['0.0s', '0.4s', '10s', '75s', '2.7m', '20m', '3.0h', '5.0d', '2.7y']);
  const ages = [0, 59 * second, minute, 59 * minute, 23 * hour, 99 * day, 100 * day, 800 * day].map(age);
  expect(ages).toEqual(['0s', '59s', '1m', '59m', '23h', '99d', '14w', '2y']);
  expect(moment('2026-07-01T04:05:06.789Z')).toBe('2026-07-01 04:05:06Z');
  expect(momentAfter('2026-07-01T05:00:00Z', '2026-07-01T04:00:00Z')).toBe('05:00:00Z');
  expect(momentAfter('2026-07-02T05:00:00Z', '2026-07-01T04:00:00Z')).toBe('2026-07-02 05:00:00Z');
});
