import type { LocaleName } from '../../contracts/naming-settings.ts';
import { de } from './de.ts';
import { en } from './en.ts';

// Written by hand rather than with Intl, whose output differs between versions of its data: texts are part of
// artifacts, and those are the same on every machine.

export type Position = 'low' | 'middle' | 'high';

export interface Advice {
  toDo: string;
  notToDo: string;
}

export interface NameParts {
  /** Stage and value words. */
  bands: readonly string[];
  trait: string | null;
  comparisons: readonly string[];
}

/** A band of the definition that is another one than when a name was given. */
export interface BandChange {
  role: 'stage' | 'value';
  /** Versions of the bands then and now; the same where somebody forgot to raise it. */
  given: number;
  present: number;
}

export interface Locale {
  numbers: { thousands: string; decimal: string };
  /** `£` and `12.50` -> `£12.50`; the amount without its minus. */
  money(currency: string, amount: string): string;
  days(text: string): string;
  /** `0.1 %` -> `below 0.1 %`. */
  below(text: string): string;
  /** Labels of features, where the words of their names are not what a reader would say. */
  labels: Readonly<Record<string, string>>;

  /** Words that a new pipeline begins with; what is not among the traits keeps the catalogue's. */
  vocabulary: {
    /** From the shortest silence to the longest. */
    stage: readonly [string, string, string, string];
    value: readonly [string, string, string];
    traits: Readonly<Record<string, { high?: string; low?: string }>>;
  };

  name: {
    join(parts: NameParts): string;
    /** `lower`, `orders` -> `lower-orders`. */
    comparison(place: Position, label: string): string;
    /** What a segment without any word is called, beside its id. */
    nobody: string;
  };

  description: {
    who(figures: { customers: number; count: string; share: string; spendShare: string | null }): string;
    typical(figure: { label: string; own: string; all: string; isMean: boolean }): string;
    /** The whole paragraph. */
    text(parts: { who: string; typical: readonly string[] } & Advice): string;
  };

  /** Why a name is what it is, as one sentence without full stop. */
  reasons: {
    named: string;
    unbacked: string;
    kept: string;
    /** Its name was free for a while, and is another segment's. */
    givenOn: string;
    /** Found true by bands that have changed since. */
    renewed(changes: readonly BandChange[]): string;
    doubtful(words: readonly string[], changes: readonly BandChange[]): string;
  };

  /** By how long ago they ordered, then by value. */
  byRecency: Readonly<Record<Position, Readonly<Record<Position, Advice>>>>;
  byValue: Readonly<Record<Position, Advice>>;
}

const LOCALE_OF: Readonly<Record<LocaleName, Locale>> = { en, de };

/** @param name absent: English */
export function localeOf(name: LocaleName = 'en'): Locale {
  return LOCALE_OF[name];
}
