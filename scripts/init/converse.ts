import { createInterface } from 'node:readline/promises';
import colors from 'picocolors';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { TableFacts } from '../../pipelines/init/facts.ts';
import type { Candidate, Guesses } from '../../pipelines/init/guess-roles.ts';
import { ROLES, type Role } from '../../pipelines/init/role-words.ts';
import { givenRoles } from './decide.ts';
import { guessTable } from './guess-table.ts';
import { ROLE_WORDS, zoneOf } from './options.ts';

type Roles = Partial<Record<Role, string | null>>;

/** A person at a terminal. */
export interface Talk {
  showGuesses(facts: TableFacts, guesses: Guesses): void;
  askRole(
    facts: TableFacts,
    open: { role: Role; candidates: readonly Candidate[]; isNeeded: boolean },
  ): Promise<Roles>;
  /** Null: all is right. */
  askCorrections(facts: TableFacts): Promise<Roles | null>;
  askFormat(column: string, formats: readonly string[]): Promise<string>;
  askCurrency(seen: string | null): Promise<string>;
  askTimezone(why: string): Promise<string>;
  close(): void;
}

export interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Ends the question that is open. */
  signal: AbortSignal;
  /** A person's Ctrl-C, which a line that is being typed keeps from the process. */
  onInterrupt(): void;
}

/** Asks until `read` takes the answer; for one that will not do it gives the words that say why. */
type Ask = <T>(question: string, read: (answer: string) => T | { fault: string }) => Promise<T>;

interface Asking {
  ask: Ask;
  say(text: string): void;
}

export function converse(terminal: Terminal, examples: Readonly<Record<string, readonly string[]>>): Talk {
  const { ask, say, close } = openLines(terminal);
  return {
    showGuesses: (facts, guesses) =>
      say(`\n${guessTable(facts, guesses, { width: terminal.output.columns || 80, examples })}\n`),
    askRole: (facts, open) => askRole({ ask, say }, facts, open),
    askCorrections: (facts) => ask(CORRECTIONS, (answer) => readCorrections(facts, answer)),
    askFormat: (column, formats) =>
      askFormat({ ask, say }, { column, formats, example: examples[column]?.[0] }),
    askCurrency: (seen) =>
      ask(
        `In which money are the amounts? ${colors.dim(seen ? `(Enter: ${seen})` : '(such as GBP)')}`,
        (answer) => {
          const code = (answer || seen || '').toUpperCase();
          return /^[A-Z]{3}$/.test(code) ? code : { fault: 'needs an ISO 4217 code such as GBP' };
        },
      ),
    askTimezone: (why) => askTimezone({ ask, say }, why),
    close,
  };
}

/** The lines of a terminal; what is still asked when they end is refused. */
function openLines({ input, output, signal, onInterrupt }: Terminal): Asking & { close(): void } {
  const lines = createInterface({ input, output, terminal: true });
  lines.on('SIGINT', onInterrupt);
  let hasEnded = false;
  const ended = new Promise<never>((_, reject) => {
    lines.once('close', () => {
      hasEnded = true;
      reject(
        new PipelineError(
          'INPUT_INVALID',
          'the conversation ended before all was answered; nothing was written',
        ),
      );
    });
  });
  ended.catch(() => undefined);
  const say = (text: string) => void output.write(`${text}\n`);
  const ask: Ask = async (question, read) => {
    for (;;) {
      const typed = lines.question(`${colors.green('?')} ${question} `, { signal });
      const result = read((await Promise.race([typed, ended])).trim());
      if (!isFault(result)) return result;
      say(`  ${colors.yellow(result.fault)}`);
    }
  };
  return {
    ask,
    say,
    close: () => {
      if (!hasEnded) lines.close();
    },
  };
}

function askRole(
  { ask, say }: Asking,
  facts: TableFacts,
  { role, candidates, isNeeded }: Parameters<Talk['askRole']>[1],
): Promise<Roles> {
  say('');
  for (const [i, { column, reasons }] of candidates.entries())
    say(`  ${colors.bold(String(i + 1))}  ${column}  ${colors.dim(reasons.join('; '))}`);
  const choice = candidates.length === 0 ? 'a column' : 'a number or a column';
  const hint = isNeeded ? choice : `${choice}, or none`;
  return ask(`Which column says ${ROLE_WORDS[role]}? ${colors.dim(`(${hint})`)}`, (answer) => {
    const column = candidates[Number(answer) - 1]?.column ?? answer;
    return column === '' ? { fault: `needs ${hint}` } : readRoles(facts, { [role]: column });
  });
}

const CORRECTIONS = `Is that right? ${colors.dim('Enter, or what is to change, such as category=none order=COLUMN')}`;

function readCorrections(facts: TableFacts, answer: string): Roles | null | { fault: string } {
  if (/^(|y|yes|ja|ok)$/i.test(answer)) return null;
  const changes = [...answer.matchAll(/([a-z-]+)\s*=\s*("[^"]*"|'[^']*'|\S+)/gi)];
  if (changes.length === 0) return { fault: `needs role=column; roles: ${ROLES.join(', ')}` };
  return readRoles(
    facts,
    Object.fromEntries(changes.map(([, role, column]) => [role!, column!.replace(/^["']|["']$/g, '')])),
  );
}

function askFormat(
  { ask, say }: Asking,
  { column, formats, example }: { column: string; formats: readonly string[]; example: string | undefined },
): Promise<string> {
  say(
    `\n  The dates of ${column} can be read in ${formats.length} ways, since no day is above 12${example ? `: ${example}` : ''}`,
  );
  for (const [i, format] of formats.entries())
    say(`  ${colors.bold(String(i + 1))}  ${formatWords(format)}  ${colors.dim(format)}`);
  return ask(
    `Which one is it? ${colors.dim('(a number)')}`,
    (answer) => formats[Number(answer) - 1] ?? { fault: `needs a number from 1 to ${formats.length}` },
  );
}

function askTimezone({ ask, say }: Asking, why: string): Promise<string> {
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  say(`\n  ${colors.dim(`${why.charAt(0).toUpperCase()}${why.slice(1)}?`)}`);
  return ask(
    `Time zone? ${colors.dim(`(such as Europe/London; yes for this machine's, ${here})`)}`,
    (answer) => {
      const zone = /^(y|yes|ja)$/i.test(answer) ? here : zoneOf(answer);
      return zone ?? { fault: 'needs an IANA time zone such as Europe/London' };
    },
  );
}

function isFault(value: unknown): value is { fault: string } {
  return typeof value === 'object' && value !== null && 'fault' in value;
}

function readRoles(facts: TableFacts, changes: Readonly<Record<string, string>>): Roles | { fault: string } {
  const unknown = Object.keys(changes).filter((role) => !ROLES.includes(role.toLowerCase() as Role));
  if (unknown.length > 0) return { fault: `${unknown.join(', ')}: no role; there are ${ROLES.join(', ')}` };
  const given = Object.entries(changes).map(([role, column]) => [
    role.toLowerCase(),
    /^(none|-)$/i.test(column) ? null : column,
  ]);
  try {
    return givenRoles(facts, Object.fromEntries(given) as Roles);
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

function formatWords(format: string): string {
  return format.startsWith('%d') ? 'day first' : 'month first';
}
