import { describe, expect, test } from 'vitest';
import { LOCALES, type NamingSettings } from '../../../pipelines/contracts/naming-settings.ts';
import { describeSegment, typicalFigures } from '../../../pipelines/stages/describe.ts';
import { formatFigure, formatMoney, formatNumber, formatShare } from '../../../pipelines/stages/figures.ts';
import { localeOf } from '../../../pipelines/stages/locales/locale.ts';
import { nameSegments } from '../../../pipelines/stages/name.ts';
import { createResample } from '../../../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

const de = localeOf('de');

const naming: NamingSettings = {
  locale: 'de',
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Aktive', below: 60 },
      { word: 'Inaktive', atLeast: 60 },
    ],
  },
  value: {
    feature: 'spendCents',
    bands: [
      { word: 'umsatzschwache', below: 100_000 },
      { word: 'umsatzstarke', atLeast: 100_000 },
    ],
  },
  traits: [{ feature: 'weekendShare', high: 'Wochenendkäufer' }],
  spend: 'spendCents',
};

function shop(columns: Record<string, Float64Array>, labels: Uint8Array, settings = naming) {
  const k = Math.max(...labels) + 1;
  const profiles = profileSegments({ columns, labels, k, spend: 'spendCents' });
  const names = nameSegments({
    ...{ naming: settings, profiles, resample: createResample({ columns, labels, profiles }) },
    segments: Array.from({ length: k }, (_, cluster) => ({ cluster, segmentId: `seg_${cluster}` })),
    previousNames: {},
  });
  const units = new Map([
    ['recencyDays', 'days'],
    ['spendCents', 'cents'],
    ['weekendShare', 'share'],
  ]);
  const format = { units, currency: 'EUR', locale: localeOf(settings.locale), labels: settings.labels ?? {} };
  return { profiles, names, telling: { profiles, naming: settings, format } };
}

const COLUMNS = {
  recencyDays: Float64Array.of(1, 1, 1, 200, 210, 220),
  spendCents: Float64Array.of(200_000, 250_000, 300_000, 9_000, 10_000, 11_000),
  weekendShare: Float64Array.of(0.1, 0.1, 0.1, 0.9, 0.9, 0.9),
};
const LABELS = Uint8Array.of(0, 0, 0, 1, 1, 1);

describe('German', () => {
  test('numbers, money and shares are written as they are there', () => {
    expect(formatNumber(1_234.5, de)).toBe('1.235');
    expect(formatNumber(12.5, de)).toBe('12,5');
    expect(formatNumber(-1_234_567, de)).toBe('-1.234.567');
    expect(formatMoney(12.5, 'EUR', de)).toBe('12,50 €');
    expect(formatMoney(-12_345.6, 'SEK', de)).toBe('-12.346 SEK');
    expect(formatShare(0.0354, de)).toBe('3,5 %');
    expect(formatShare(0.0004, de)).toBe('unter 0,1 %');
    const format = { units: new Map([['recencyDays', 'days']]), currency: 'EUR', locale: de };
    expect([1, 2.5, 1_000].map((days) => formatFigure('recencyDays', days, format))).toEqual([
      '1 Tag',
      '2,5 Tage',
      '1.000 Tage',
    ]);
  });

  test('nouns keep their capitals, and adjectives have a noun', () => {
    const { names } = shop(COLUMNS, LABELS);
    expect(names.map(({ name }) => name)).toEqual([
      'Aktive umsatzstarke Kunden',
      'Inaktive umsatzschwache Wochenendkäufer',
    ]);
  });

  test('a comparison follows the people, and counts its words', () => {
    const columns = {
      recencyDays: Float64Array.of(1, 1, 1, 2, 2, 2),
      spendCents: Float64Array.of(200_000, 200_000, 200_000, 900_000, 900_000, 900_000),
      weekendShare: Float64Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
    };
    const { names } = shop(columns, LABELS);
    expect(names.map(({ name }) => name)).toEqual([
      'Aktive Kunden, Umsatz niedriger',
      'Aktive Kunden, Umsatz höher',
    ]);
  });

  test('a description reads as one paragraph', () => {
    const { profiles, telling } = shop(COLUMNS, LABELS);
    expect(describeSegment(profiles.segments[0]!, telling)).toBe(
      '3 Kunden, 50 % aller Kunden, mit 96 % des Umsatzes. ' +
        'Typisch: Wochenendanteil 10 % (alle: 50 %); Bestellpause 1 Tag (alle: 101 Tage); ' +
        'Umsatz 2.500 € (alle: 1.055 €). ' +
        'Empfohlen: danken, Neues zuerst zeigen, um Weiterempfehlung bitten. ' +
        'Zu vermeiden: Rabatt auf das geben, was sie ohnehin kaufen.',
    );
  });

  test('the definition’s own labels come first', () => {
    const { profiles, telling } = shop(COLUMNS, LABELS, {
      ...naming,
      labels: { weekendShare: 'Sa/So-Anteil' },
    });
    expect(typicalFigures(profiles.segments[1]!, telling)).toContain('Sa/So-Anteil 90 % (alle: 50 %)');
  });
});

describe.each(LOCALES)('%s', (name) => {
  const locale = localeOf(name);

  test('has advice for every stage and value, ready to stand between two full stops', () => {
    const advice = [
      ...Object.values(locale.byRecency).flatMap((row) => Object.values(row)),
      ...Object.values(locale.byValue),
    ];
    expect(advice).toHaveLength(12);
    for (const { toDo, notToDo } of advice) {
      for (const text of [toDo, notToDo]) expect(text).toMatch(/^\S.*[^.\s]$/);
      expect(toDo).not.toBe(notToDo);
    }
  });

  test('reasons are sentences without a full stop, and tell versions apart', () => {
    const { reasons } = locale;
    const raised = [{ role: 'value' as const, given: 1, present: 2 }];
    const forgotten = [{ role: 'stage' as const, given: 4, present: 4 }];
    const texts = [
      ...[reasons.named, reasons.unbacked, reasons.kept, reasons.givenOn],
      ...[reasons.renewed(raised), reasons.renewed(forgotten)],
      ...[reasons.doubtful(['X'], []), reasons.doubtful(['X'], raised)],
    ];
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).not.toMatch(/\.$|undefined/);
    expect(reasons.renewed(raised)).toMatch(/2.*1/);
    expect(reasons.renewed(forgotten)).toMatch(/4/);
  });
});
