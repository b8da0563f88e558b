import { stripVTControlCharacters } from 'node:util';

/** East Asian characters and pictures take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
const PIECES = /\u001b\[[0-9;]*m|./gsu;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += WIDE.test(character) ? 2 : 1;
  return width;
}

/** As much of a line as fits, with `…` where something is missing; colours end with it. */
export function clip(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let [kept, used] = ['', 0];
  let isColoured = false;
  for (const piece of line.match(PIECES) ?? []) {
    if (piece.startsWith('\u001b')) {
      isColoured = true;
      kept += piece;
      continue;
    }
    const wide = widthOf(piece);
    if (used + wide > width - 1) break;
    kept += piece;
    used += wide;
  }
  return `${kept}…${isColoured ? '\u001b[0m' : ''}`;
}

export interface Screen {
  /** Draws these lines in place of those drawn before. */
  draw(lines: readonly string[]): void;
  /** A line that stays, above what is drawn. */
  print(text: string): void;
  /** Gives the cursor back, and takes away what is drawn unless it is to stay. Repeatable. */
  end(options?: { stays: boolean }): void;
}

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'> & {
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
};

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[0J';
const CLEAR_ALL = '\u001b[2J\u001b[H';

/** A block of lines on a terminal that is drawn anew in its place. */
export function openScreen(terminal: Terminal): Screen {
  let height = 0;
  let isOver = false;
  let shown: readonly string[] = [];
  const back = () => `${height > 0 ? `\u001b[${height}A` : ''}\r${CLEAR_BELOW}`;
  const draw = (lines: readonly string[], before = back()) => {
    if (isOver) return;
    shown = lines;
    const [columns, rows] = [terminal.columns || 80, terminal.rows || 24];
    // A block higher than the terminal could not be gone back over.
    const fitting = lines.length < rows ? lines : [...lines.slice(0, rows - 2), '…'];
    terminal.write(before + fitting.map((line) => `${clip(line, columns - 1)}\n`).join(''));
    height = fitting.length;
  };
  // The terminal has broken the old lines anew: how many they are now is not known.
  const onResize = () => draw(shown, CLEAR_ALL);
  terminal.on('resize', onResize);
  terminal.write(HIDE_CURSOR);
  return {
    draw: (lines) => draw(lines),
    print(text) {
      terminal.write(`${back()}${text}\n`);
      height = 0;
      draw(shown);
    },
    end({ stays } = { stays: false }) {
      if (isOver) return;
      terminal.off('resize', onResize);
      terminal.write(`${stays ? '' : back()}${SHOW_CURSOR}`);
      isOver = true;
    },
  };
}
