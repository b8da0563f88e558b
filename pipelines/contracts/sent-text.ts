// Texts that callers send, before they come into ids, paths, messages and PostgreSQL.

/** Names of pipelines, which are names of folders. */
export const PIPELINE_NAME = /^[a-z][a-z0-9-]{0,39}$/;
export const PIPELINE_NAME_NEEDS = 'needs lower-case letters, digits and dashes, at most 40, a letter first';

/** Neither PostgreSQL nor a path keeps a zero byte or half of a character; nobody sees the other control characters. */
const UNSEEN = /[\p{Cc}\p{Cs}]/u;
const UNKEPT = /(?![\n\r\t])[\p{Cc}\p{Cs}]/gu;

export const ONE_LINE = 'needs one line of characters that can be seen';

export function isOneLine(text: string): boolean {
  return !UNSEEN.test(text);
}

/** What of a text can be kept everywhere: its first characters, whole ones, with a sign for those that nothing keeps. */
export function keptText(text: string, most: number): string {
  // Twice as many units hold as many characters; what is cut in half there lies beyond them.
  const characters = [...text.slice(0, 2 * most)];
  return characters.slice(0, most).join('').replace(UNKEPT, '\ufffd');
}
