import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOneLine, keptText, PIPELINE_NAME } from '../../../pipelines/contracts/sent-text.ts';

describe('a text that was sent', () => {
  test.each(['a\0b', 'a\nb', 'a\tb', '\ud83d', '\ude00x', '\u0085'])('%j is no line', (text) => {
    expect(isOneLine(text)).toBe(false);
  });

  test.each(['/data/größe 😀.csv', '', 's3://b/k', '客户'])('%j is one', (text) => {
    expect(isOneLine(text)).toBe(true);
  });

  test('is kept with its lines, without what PostgreSQL refuses, and cut between characters', () => {
    expect(keptText('looked at it\n\ton screen\r\n', 100)).toBe('looked at it\n\ton screen\r\n');
    expect(keptText('a\0b\ud83dc', 100)).toBe('a\ufffdb\ufffdc');
    expect(keptText(`${'x'.repeat(4)}😀😀`, 5)).toBe('xxxx😀');
  });

  test('is never longer than asked for, and never half a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'é', '客', '😀', '\ud83d', '\ude00', '\0', '\n') }),
        fc.nat(20),
        (text, most) => {
          const kept = keptText(text, most);
          expect([...kept].length).toBeLessThanOrEqual(most);
          expect(kept).not.toMatch(/[\p{Cs}\0]/u);
          expect(keptText(kept, most)).toBe(kept);
        },
      ),
    );
  });
});

test('names of pipelines are names of folders', () => {
  for (const name of ['shop', 'online-retail', 'a1']) expect(name).toMatch(PIPELINE_NAME);
  for (const name of ['', '../shop', 'Shop', '1shop', 'a b', 'shop\n', 'x'.repeat(41)])
    expect(name).not.toMatch(PIPELINE_NAME);
});
