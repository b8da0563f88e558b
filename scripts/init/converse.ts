import { createInterface } from 'node:readline/promises';
import colors from 'picocolors';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { TableFacts } from '../../pipelines/init/facts.ts';
import type { Candidate, Guesses } from '../../pipelines/init/guess-roles.ts';
import { ROLES, type Role } from '../../pipelines/init/role-words.ts';
import { givenRoles } from './decide.ts';
import { guessTable } from './guess-table.ts';
import { zoneOf } from './options.ts';

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

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  customer: 'Which column says whose the row is?',
  time: 'Which column says when it was ordered?',
  order: 'Which column names the order?',
  quantity: 'Which column is the number of pieces?',
  price: 'Which column is the price of one piece?',
  amount: 'Which column is the money of the row?',
  discount: 'Which column is the money taken off?',
  category: 'Which column says what was bought?',
  channel: 'Which column says how it was sold?',
  country: 'Which column is the country?',
  'line-id': 'Which column names the row?',
  'loaded-at': 'Which column says when the row was loaded?',
};

export function converse(
  { input, output, signal, onInterrupt }: Terminal,
  examples: Readonly<Record<string, readonly string[]>>,
): Talk {
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
  const say = (text: string) => output.write(`${text}\n`);
  /** Asks until the answer will do. `read` gives null, with a word said, for one that will not. */
  const ask = async <T>(question: string, read: (answer: string) => T | { fault: string }): Promise<T> => {
    for (;;) {
      const answer = await Promise.race([
        lines.question(`${colors.green('?')} ${question} `, { signal }),
        ended,
      ]);
      const result = read(answer.trim());
      if (!isFault(result)) return result;
      say(`  ${colors.yellow(result.fault)}`);
    }
  };
  return {
    showGuesses: (facts, guesses) =>
      say(`\n${guessTable(facts, guesses, { width: output.columns ?? 80, examples })}\n`),
    async askRole(facts, { role, candidates, isNeeded }) {
      say('');
      for (const [i, { column, reasons }] of candidates.entries())
        say(`  ${colors.bold(String(i + 1))}  ${column}  ${colors.dim(reasons.join('; '))}`);
      const choice = candidates.length === 0 ? 'a column' : 'a number or a column';
      const hint = isNeeded ? choice : `${choice}, or none`;
      return ask(`${ROLE_WORDS[role]} ${colors.dim(`(${hint})`)}`, (answer) => {
        const column = candidates[Number(answer) - 1]?.column ?? answer;
        if (column === '') return { fault: `needs ${hint}` };
        return readRoles(facts, { [role]: column });
      });
    },
    askCorrections: (facts) =>
      ask(
        `Is that right? ${colors.dim('Enter, or what is to change, such as category=none order=COLUMN')}`,
        (answer) => {
          if (/^(|y|yes|ja|ok)$/i.test(answer)) return null;
          const changes = [...answer.matchAll(/([a-z-]+)\s*=\s*("[^"]*"|'[^']*'|\S+)/gi)];
          if (changes.length === 0) return { fault: `needs role=column; roles: ${ROLES.join(', ')}` };
          return readRoles(
            facts,
            Object.fromEntries(
              changes.map(([, role, column]) => [role!, column!.replace(/^["']|["']$/g, '')]),
            ),
          );
        },
      ),
    async askFormat(column, formats) {
      const [example] = examples[column] ?? [];
      say(
        `\n  The dates of ${column} can be read in ${formats.length} ways, since no day is above 12${example ? `: ${example}` : ''}`,
      );
      for (const [i, format] of formats.entries())
        say(`  ${colors.bold(String(i + 1))}  ${formatWords(format)}  ${colors.dim(format)}`);
      return ask(
        `Which one is it? ${colors.dim('(a number)')}`,
        (answer) => formats[Number(answer) - 1] ?? { fault: `needs a number from 1 to ${formats.length}` },
      );
    },
    askCurrency: (seen) =>
      ask(
        `In which money are the amounts? ${colors.dim(seen ? `(Enter: ${seen})` : '(such as GBP)')}`,
        (answer) => {
          const code = (answer || seen || '').toUpperCase();
          return /^[A-Z]{3}$/.test(code) ? code : { fault: 'needs an ISO 4217 code such as GBP' };
        },
      ),
    askTimezone: (why) => {
      const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
      say(`\n  ${colors.dim(`${why.charAt(0).toUpperCase()}${why.slice(1)}?`)}`);
      return ask(
        `Time zone? ${colors.dim(`(such as Europe/London; yes for this machine's, ${here})`)}`,
        (answer) => {
          const zone = /^(y|yes|ja)$/i.test(answer) ? here : zoneOf(answer);
          return zone ?? { fault: 'needs an IANA time zone such as Europe/London' };
        },
      );
    },
    close: () => {
      if (!hasEnded) lines.close();
    },
  };
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
