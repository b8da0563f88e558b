import { describe, expect, test } from 'vitest';
import { countNameWords, rankNameWords, refusedNameWords } from '../../../pipelines/contracts/name-words.ts';
import { LOCALES } from '../../../pipelines/contracts/naming-settings.ts';
import { featureCatalogue } from '../../../pipelines/stages/feature-catalogue.ts';
import { localeOf } from '../../../pipelines/stages/locales/locale.ts';

describe('words that no name may have', () => {
  test.each([
    ['Active women', ['women']],
    ['Elderly high-value buyers', ['Elderly']],
    ['MUSLIM customers', ['MUSLIM']],
    ['gay-friendly buyers', ['gay']],
    ['Women’s-fashion buyers', ['Women']],
    ['Black customers', ['Black']],
    ['Pregnant and divorced buyers', ['Pregnant', 'divorced']],
    ['Stupid cheapskates', ['Stupid', 'cheapskates']],
    ['Dead customers', ['Dead']],
    ['Ausländische Vielbesteller', ['Ausländische']],
    ['AUSLAENDER', ['AUSLAENDER']],
    ['Kranke Rentnerinnen', ['Kranke', 'Rentnerinnen']],
    ['Katholische Käufer', ['Katholische']],
    ['Schwule Kunden', ['Schwule']],
    ['Karteileichen', ['Karteileichen']],
    ['dumme Geizhälse', ['dumme', 'Geizhälse']],
    ['Nörgler, Nörgler', ['Nörgler']],
  ])('%s: %j', (name, refused) => {
    expect(refusedNameWords(name)).toEqual(refused);
  });

  test.each([
    'Lapsing high-value weekend buyers',
    'Black Friday buyers',
    'White-goods buyers',
    'Mother’s-Day buyers',
    'Low-fat buyers',
    'Christmas buyers',
    'Dead Sea cosmetics buyers',
    'Herrenmode-Käufer',
    'Abwandernde umsatzstarke Wochenendkäufer',
    'Langzeitkunden mit Muttertagskauf',
    'Our friends',
    '',
    '!!!',
  ])('%s may be said', (name) => {
    expect(refusedNameWords(name)).toEqual([]);
  });

  test('no word that init offers is refused or ranks', () => {
    const columns = new Set([
      'category',
      'channel',
      'country',
      'quantity',
      'discount',
      'line_id',
      'loaded_at',
    ]);
    const words = featureCatalogue({ columns, currency: 'EUR', historyDays: 2_000, acceptsReturns: true })
      .flatMap(({ trait = {} }) => Object.values(trait))
      .concat(
        LOCALES.flatMap((name) => {
          const { stage, value, traits } = localeOf(name).vocabulary;
          return [...stage, ...value, ...Object.values(traits).flatMap((trait) => Object.values(trait))];
        }),
      );
    expect(words.length).toBeGreaterThan(20);
    for (const word of words) expect([...refusedNameWords(word), ...rankNameWords(word)], word).toEqual([]);
  });
});

describe('words that rank', () => {
  test.each([
    ['Top customers', ['Top']],
    ['top-10 buyers', ['top']],
    ['Top10', ['Top10']],
    ['Best buyers of the lowest quintile', ['Best', 'lowest', 'quintile']],
    ['Größte Kunden', ['Größte']],
    ['Best-seller buyers', []],
    ['big-order buyers', []],
    ['Stopped buyers', []],
  ])('%s: %j', (name, ranks) => {
    expect(rankNameWords(name)).toEqual(ranks);
  });
});

test.each([
  ['Active high-value big-order buyers', 4],
  ['  two   words ', 2],
  ['Käufer & Käuferinnen', 2],
  ['', 0],
])('"%s" has so many words: %d', (name, count) => {
  expect(countNameWords(name)).toBe(count);
});
