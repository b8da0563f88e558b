import { describe, expect, it } from 'vitest';
import { namesOf } from '../../../store/warehouse/source-files.ts';

describe('namesOf', () => {
  it.each([
    [
      ['/in/a.csv', '/in/b.csv'],
      ['a.csv', 'b.csv'],
    ],
    [
      ['/in/x/a.csv', '/in/y/a.csv', '/in/y/b.csv'],
      ['x/a.csv', 'y/a.csv', 'b.csv'],
    ],
    [
      ['/in/a.csv', '/in/y/a.csv'],
      ['a.csv', 'y/a.csv'],
    ],
    [
      ['/a.csv', '/y/a.csv'],
      ['a.csv', 'y/a.csv'],
    ],
    [
      ['/in/one/deep/a.csv', '/in/only/a.csv'],
      ['one/deep/a.csv', 'only/a.csv'],
    ],
    [[], []],
  ])('of %j are %j', (files, names) => {
    expect(namesOf(files)).toEqual(names);
  });

  it('looks at each of many files a few times only', () => {
    const files = Array.from({ length: 5_000 }, (_, i) => `/in/${i >> 1}/${i % 2 === 0 ? 'sales' : i}.csv`);
    let looks = 0;
    const counted = new Proxy(files, {
      get(target, key) {
        looks++;
        return Reflect.get(target, key);
      },
    });
    const names = namesOf(counted);
    expect(names.slice(0, 3)).toEqual(['0/sales.csv', '1.csv', '1/sales.csv']);
    expect(looks).toBeLessThan(10 * files.length);
  });
});
