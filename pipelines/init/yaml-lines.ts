import { stringify } from 'yaml';

/** A value on one line, in quotation marks where it needs them. */
export function scalar(value: string | number | boolean): string {
  return stringify(value, { lineWidth: 0, defaultStringType: 'PLAIN' }).trimEnd();
}

export function inlineList(values: readonly (string | number)[]): string {
  return stringify(values, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
}

/** Lines under a key, two columns further in. */
export function indented(lines: readonly string[], by = 2): string[] {
  return lines.flatMap((line) => line.split('\n')).map((line) => (line === '' ? '' : ' '.repeat(by) + line));
}

const COMMENT_WIDTH = 108;

/** Words as lines of a comment. */
export function comment(text: string): string[] {
  const lines = [''];
  for (const word of text.replace(/\s+/g, ' ').split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + word.length + 1 > COMMENT_WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `# ${line}`);
}
