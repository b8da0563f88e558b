import { PipelineError } from './errors.ts';
import { refusedNameWords } from './name-words.ts';

// What a person may call a segment. Names are read in tables, mails, spreadsheets and audience files by people who
// see nothing else of Strata: a name has to survive all of them as it was typed, and mean one segment.

/** As much as a column of a table holds. */
export const NAME_LENGTH = 60;
const REASON_LENGTH = 500;
const PERSON_LENGTH = 80;
const QUOTED_LENGTH = 40;

interface Rule {
  /** Where this is found the rule is broken. */
  broken: RegExp;
  needs: string;
  found(piece: string): string;
  wayOut: string;
}

// Joiners are part of the spelling of some scripts; the key of a name leaves them out.
const UNSEEN =
  /(?!\u200c|\u200d|\p{Variation_Selector})[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffd]/u;

const RULES: readonly Rule[] = [
  {
    broken: UNSEEN,
    needs: 'one line of characters that can be seen',
    found: (piece) => `U+${piece.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
    wayOut: 'type it by hand in place of pasting it',
  },
  {
    broken: /^[^\p{L}\p{N}]*$/u,
    needs: 'a letter or a digit',
    found: (piece) => (piece === '' ? 'nothing' : quoted(piece)),
    wayOut: 'say in a few words who they are',
  },
  {
    broken: /<[^<>]*>|[<>]|&(?:#\d+|#x[\da-f]+|[a-z]+);|`|\*\*|__|~~|\]\(|\{\{|\$\{/iu,
    needs: 'plain text, without markup',
    found: quoted,
    wayOut: 'say it in words',
  },
  {
    // The full-width forms, too: spreadsheets of some languages take them for the same.
    broken: /^[=+\-@\uff1d\uff0b\uff0d\uff20]/u,
    needs: 'to begin otherwise than a formula, which = + - and @ are to a spreadsheet',
    found: quoted,
    wayOut: 'begin with a word',
  },
  {
    broken: /^seg_.*$/iu,
    needs: 'to be no id, which is what begins with seg_',
    found: quoted,
    wayOut: 'say in a few words who they are',
  },
];

/**
 * A name as it is kept: in Unicode's composed form, without spaces around it, with single ones within.
 *
 * @throws PipelineError NAME_REFUSED
 */
export function checkSegmentName(given: string): string {
  const name = given
    .normalize('NFC')
    .trim()
    .replace(/\p{Zs}+/gu, ' ');
  for (const { broken, needs, found, wayOut } of RULES) {
    const piece = broken.exec(name)?.[0];
    if (piece !== undefined)
      throw refusal(`a segment's name needs ${needs}, found ${found(piece)}; ${wayOut}`);
  }
  const { length } = [...name];
  if (length > NAME_LENGTH) {
    throw refusal(
      `a segment's name needs at most ${NAME_LENGTH} characters, found ${length}; ` +
        'shorten it, the reason has room for the rest',
    );
  }
  const refused = refusedNameWords(name);
  if (refused.length > 0) {
    throw refusal(
      "a segment's name needs words on what customers do, found " +
        `${refused.map(quoted).join(', ')}, which judges them or tells what protects them by law; say what they buy, how or when`,
    );
  }
  return name;
}

/** Two names with the same key are one name to a reader: capitals, spacing and ways to write a letter do not count. */
export function segmentNameKey(name: string): string {
  // Upper case first: ß and SS are the same.
  return name
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\s]/gu, '')
    .toUpperCase()
    .toLowerCase();
}

/** Who has the name already, among segments other than the one that is named. */
export function holderOf<S extends { segmentId: string; name: string }>(
  name: string,
  { segmentId, among }: { segmentId: string; among: readonly S[] },
): S | undefined {
  const key = segmentNameKey(name);
  return among.find((other) => other.segmentId !== segmentId && segmentNameKey(other.name) === key);
}

/** Why a name was given. @throws PipelineError INPUT_INVALID */
export function checkReason(given: string): string {
  return checkText(given, { what: 'the reason', most: REASON_LENGTH });
}

/** Who gives it. @throws PipelineError INPUT_INVALID */
export function checkPerson(given: string): string {
  return checkText(given, { what: 'the person who decides', most: PERSON_LENGTH });
}

function checkText(given: string, { what, most }: { what: string; most: number }): string {
  const text = given.normalize('NFC').trim().replace(/\s+/gu, ' ');
  const unseen = UNSEEN.exec(text)?.[0];
  const { length } = [...text];
  const needs = (needed: string, found: string) =>
    new PipelineError('INPUT_INVALID', `${what} needs ${needed}, found ${found}`);
  if (text === '') throw needs('a few words', 'none');
  if (unseen !== undefined) throw needs('characters that can be seen', 'others');
  if (length > most) throw needs(`at most ${most} characters`, String(length));
  return text;
}

function refusal(message: string): PipelineError {
  return new PipelineError('NAME_REFUSED', message);
}

function quoted(piece: string): string {
  const characters = [...piece];
  const told = characters.slice(0, QUOTED_LENGTH).join('');
  return `"${told}${characters.length > QUOTED_LENGTH ? '…' : ''}"`;
}
