import { describe, expect, test } from 'vitest';
import { chooseFormats, formatsOf, rivalOf } from '../../../pipelines/init/time-formats.ts';

describe('how times are written', () => {
  test.each([
    ['31.12.2010 08:26', ['%d.%m.%Y %H:%M', '%m.%d.%Y %H:%M']],
    ['12/1/10 8:26', ['%d/%m/%y %H:%M', '%m/%d/%y %H:%M']],
    ['12/31/2010 08:26:01 PM', ['%d/%m/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M:%S %p']],
    ['5-Jan-2011', ['%d-%b-%Y']],
    ['20110105', ['%Y%m%d']],
    ['2011/1/5 09:00', ['%Y/%m/%d %H:%M']],
    ['January 5, 2011', ['%B %d, %Y']],
  ])('%s', (text, formats) => {
    expect(formatsOf([text]).formats.map(({ format }) => format)).toEqual(formats);
    expect(formatsOf([text]).isoShare).toBe(0);
  });

  test.each(['2011-01-05', '2011-01-05 09:00', '2011-01-05T09:00:00.123Z', '2011-01-05 09:00:00+01:00'])(
    '%s is ISO 8601 and needs no format',
    (text) => {
      expect(formatsOf([text])).toEqual({ isoShare: 1, formats: [] });
    },
  );

  test.each(['', 'soon', '536365', '12.5', '1/2', '2011-01-05 at nine'])('%j is no time', (text) => {
    expect(formatsOf([text])).toEqual({ isoShare: 0, formats: [] });
  });
});

describe('day or month first', () => {
  const [dayFirst, monthFirst] = ['%d/%m/%Y', '%m/%d/%Y'];

  test('a day above 12 decides', () => {
    const reads = new Map([
      [dayFirst, 70],
      [monthFirst, 100],
    ]);
    expect(chooseFormats(reads, 100)).toEqual({ formats: [monthFirst], rivals: [] });
  });

  test('without one both are told', () => {
    const reads = new Map([
      [dayFirst, 100],
      [monthFirst, 100],
    ]);
    expect(chooseFormats(reads, 100)).toEqual({ formats: [dayFirst], rivals: [monthFirst] });
  });

  test('two forms of which each has a hundredth of the rows are both needed, single rows are not', () => {
    const reads = new Map([
      ['%d.%m.%Y', 60],
      ['%Y%m%d', 39],
      ['%d-%b-%Y', 0.5],
    ]);
    expect(chooseFormats(reads, 100).formats).toEqual(['%d.%m.%Y', '%Y%m%d']);
  });

  test('the other order of a format', () => {
    expect(rivalOf('%d.%m.%y %H:%M')).toBe('%m.%d.%y %H:%M');
    expect(rivalOf('%Y-%m-%d')).toBeNull();
    expect(rivalOf('%d-%b-%Y')).toBeNull();
  });
});
