import { z } from 'zod';
import { featureName } from './feature-name.ts';
import { countNameWords, MOST_NAME_WORDS, rankNameWords, refusedNameWords } from './name-words.ts';

/** Languages that names and descriptions can be written in. */
export const LOCALES = ['en', 'de'] as const;
export type LocaleName = (typeof LOCALES)[number];

const word = z.string().trim().min(1).max(60);

/** A word for a name, with the condition that has to hold in the segment for the word to be used. */
const band = z.strictObject({
  word,
  below: z.number().optional(),
  atLeast: z.number().optional(),
});

const bands = z.strictObject({
  feature: featureName,
  /** Goes up when a border or a word changes, so that every name says by which bands it was given; absent: 1. */
  version: z.int().min(1).optional(),
  bands: z.array(band).min(1),
});

export const naming = z.strictObject({
  /** The language of descriptions and reasons, and how numbers are written; absent: en. */
  locale: z.enum(LOCALES).optional(),
  /** Lifecycle words by bands of one feature's median in the segment; absolute, so that names stay. */
  stage: bands,
  /** Value words by bands of one feature's median in the segment. */
  value: bands,
  /** Words for features whose standardised difference and lift say so. */
  traits: z
    .array(z.strictObject({ feature: featureName, high: word.optional(), low: word.optional() }))
    .default([]),
  /** What features are called in texts, `recencyDays: silence`; absent: as the locale or their own name has it. */
  labels: z.record(featureName, word).optional(),
  /** The feature that is money, for shares of spend. */
  spend: featureName.optional(),
});

export type NamingSettings = z.infer<typeof naming>;

interface Fault {
  path: (string | number)[];
  message: string;
}

/** Words of the vocabulary that no name may have, and bands that no figure lies in. */
export function namingFaults({ stage, value, traits, labels = {} }: NamingSettings): Fault[] {
  const banded = Object.entries({ stage, value });
  const vocabulary = [
    ...banded.flatMap(([role, { bands }]) =>
      bands.map(({ word }, i) => ({ word, path: ['naming', role, 'bands', i, 'word'] })),
    ),
    ...traits.flatMap(({ high, low }, i) => [
      { word: high, path: ['naming', 'traits', i, 'high'] },
      { word: low, path: ['naming', 'traits', i, 'low'] },
    ]),
    ...Object.entries(labels).map(([feature, word]) => ({ word, path: ['naming', 'labels', feature] })),
  ];
  const empty = banded.flatMap(([role, { bands }]) =>
    bands.flatMap(({ atLeast = -Infinity, below = Infinity }, i) =>
      atLeast < below
        ? []
        : [
            {
              path: ['naming', role, 'bands', i, 'atLeast'],
              message: `needs to be less than below, ${below}`,
            },
          ],
    ),
  );
  return [
    ...vocabulary.flatMap(({ word, path }) => wordFaults(word ?? '').map((message) => ({ path, message }))),
    ...empty,
  ];
}

function wordFaults(word: string): string[] {
  const refused = refusedNameWords(word);
  const ranks = rankNameWords(word);
  return [
    ...(refused.length > 0
      ? [`needs words without protected traits and insults (${refused.join(', ')}), see docs/naming.md`]
      : []),
    ...(ranks.length > 0
      ? [`needs words that stay true when other customers come or go, no ranks (${ranks.join(', ')})`]
      : []),
    ...(countNameWords(word) > MOST_NAME_WORDS ? [`needs at most ${MOST_NAME_WORDS} words`] : []),
  ];
}
