import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { currenciesSeen } from '../../pipelines/init/currencies.ts';
import { columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import { type Guesses, guessRoles, openQuestions } from '../../pipelines/init/guess-roles.ts';
import { ROLES, type Role } from '../../pipelines/init/role-words.ts';
import type { Talk } from './converse.ts';
import { type Given, ROLE_WORDS } from './options.ts';

/** What the files of the definition are made of, beside what is measured. */
export interface Decisions {
  guesses: Guesses;
  roles: Readonly<Partial<Record<Role, string>>>;
  times: readonly string[];
  decimal: '.' | ',';
  missing: readonly string[];
  currency: string;
  timezone: string;
}

/** Something that neither the file nor a flag says. */
interface Question {
  flag: string;
  /** In words, for whoever is not asked: what is needed and why. */
  need: string;
}

/**
 * Roles, zone, currency and formats: from flags, then from guesses that are sure, then from the person.
 *
 * @param talk null where there is no terminal: nobody is asked
 * @throws PipelineError INPUT_INVALID naming every flag that is missing, EXTRACT_COLUMN_MISSING
 */
export async function decide(facts: TableFacts, given: Given, talk: Talk | null): Promise<Decisions> {
  let roles = givenRoles(facts, given.roles);
  let guesses = guessRoles(facts, roles);
  const show = () => talk?.showGuesses(facts, guesses);
  if (talk && !given.isYes) {
    show();
    for (;;) {
      const open = openQuestions(guesses)[0];
      const answer = open ? await talk.askRole(facts, open) : await talk.askCorrections(facts);
      if (answer === null) break;
      roles = { ...roles, ...answer };
      guesses = guessRoles(facts, roles);
      if (!open) show();
    }
  }
  const questions = given.isYes || talk ? neededOf(guesses) : unsureOf(facts, guesses);
  const columns = columnsOf(guesses);
  const times = await timesOf(facts, columns, { given, talk, questions });
  const currency = await currencyOf(facts, columns, { given, talk, questions });
  const timezone = await timezoneOf(facts, columns, { given, talk, questions });
  if (questions.length > 0) throw unanswered(questions, given.currency === undefined ? currency : null);
  const { decimal, missing } = textOf(facts, columns);
  return { guesses, roles: columns, times, decimal, missing, currency: currency!, timezone: timezone! };
}

/** Flags name columns in any case, as SQL does. */
export function givenRoles(
  facts: TableFacts,
  given: Readonly<Partial<Record<Role, string | null>>>,
): Partial<Record<Role, string | null>> {
  const entries = Object.entries(given).map(([role, wanted]) => {
    if (wanted === null) return [role, null];
    const column =
      columnOf(facts, wanted) ??
      facts.columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
    if (column) return [role, column.name];
    throw new PipelineError(
      'EXTRACT_COLUMN_MISSING',
      `--${role} ${wanted}: ${facts.name} has no such column, it has ${facts.columns.map(({ name }) => name).join(', ')}`,
      { file: facts.name, missing: wanted },
    );
  });
  return Object.fromEntries(entries);
}

/** Whether nothing in the file looks like a column that is needed. */
export function lacksNeeded(facts: TableFacts, given: Given): boolean {
  return neededOf(guessRoles(facts, givenRoles(facts, given.roles))).length > 0;
}

function columnsOf(guesses: Guesses): Partial<Record<Role, string>> {
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const { column } = guesses[role];
      return column === null ? [] : [[role, column]];
    }),
  );
}

function whatIs(role: Role): string {
  return role === 'amount' ? `${ROLE_WORDS.amount} (or name both --quantity and --price)` : ROLE_WORDS[role];
}

function neededOf(guesses: Guesses): Question[] {
  return openQuestions(guesses)
    .filter(({ candidates, isNeeded }) => isNeeded && candidates.length === 0)
    .map(({ role }) => ({ flag: `--${role} COLUMN`, need: `no column looks like ${whatIs(role)}` }));
}

function unsureOf(facts: TableFacts, guesses: Guesses): Question[] {
  const columns = facts.columns.map(({ name }) => name).join(', ');
  return openQuestions(guesses).map(({ role, candidates, isNeeded }) => {
    const could = candidates.map(({ column, reasons }) => `${column}${reasons[0] ? ` (${reasons[0]})` : ''}`);
    const leave = isNeeded ? '' : `, or --${role} none`;
    return {
      flag: `--${role} COLUMN`,
      need:
        could.length === 0
          ? `no column looks like ${whatIs(role)}; there are ${columns}`
          : `${whatIs(role)} could be ${could.join(' or ')}${leave}`,
    };
  });
}

interface Asking {
  given: Given;
  talk: Talk | null;
  questions: Question[];
}

type Columns = Readonly<Partial<Record<Role, string>>>;

async function timesOf(
  facts: TableFacts,
  roles: Columns,
  { given, talk, questions }: Asking,
): Promise<string[]> {
  if (given.times.length > 0) return [...given.times];
  const formats: string[] = [];
  for (const role of ['time', 'loaded-at'] as const) {
    const name = roles[role];
    const time = name === undefined ? null : columnOf(facts, name)?.time;
    if (name === undefined || !time) continue;
    const [first, ...rest] = time.formats;
    if (first === undefined) continue;
    if (time.rivals.length === 0) formats.push(first, ...rest);
    else if (talk) formats.push(await talk.askFormat(name, [first, ...time.rivals]), ...rest);
    else {
      questions.push({
        flag: `--time-format "${first}"`,
        need: `the dates of ${name} can be read as ${[first, ...time.rivals].join(' or as ')}: no day is above 12`,
      });
    }
  }
  return [...new Set(formats)];
}

async function currencyOf(
  facts: TableFacts,
  roles: Columns,
  { given, talk, questions }: Asking,
): Promise<string | null> {
  if (given.currency !== undefined) return given.currency;
  // Where there are several the report tells of them.
  const [seen = null] = currenciesSeen(facts, roles);
  if (talk && !(given.isYes && seen)) return talk.askCurrency(seen);
  if (seen !== null) return seen;
  questions.push({ flag: '--currency CODE', need: 'the file does not say in which money, such as GBP' });
  return null;
}

async function timezoneOf(
  facts: TableFacts,
  roles: Columns,
  { given, talk, questions }: Asking,
): Promise<string | null> {
  if (given.timezone !== undefined) return given.timezone;
  const { time: name } = roles;
  const zoned = name === undefined ? 0 : (columnOf(facts, name)?.time?.zonedShare ?? 0);
  const why =
    zoned >= 0.5
      ? `the times of ${name} carry a zone; in which one do the shop's days begin`
      : `the times of ${name ?? 'the orders'} carry no zone; which clock do they show`;
  if (talk) return talk.askTimezone(why);
  questions.push({ flag: '--timezone ZONE', need: `${why}, such as Europe/London` });
  return null;
}

function textOf(facts: TableFacts, roles: Columns): { decimal: '.' | ','; missing: string[] } {
  const mapped = Object.values(roles).map((name) => columnOf(facts, name)!);
  const texts = mapped.filter(({ type }) => type === 'VARCHAR');
  const styles = texts.flatMap(({ number }) => (number && number.wholeShare < 1 ? [number.decimal] : []));
  if (styles.includes(',') && styles.includes('.')) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${facts.name} writes some numbers with a decimal comma and others with a point; a source has one of them`,
      { file: facts.name },
    );
  }
  return {
    decimal: styles[0] ?? '.',
    missing: [...new Set(mapped.flatMap(({ missingWords }) => missingWords))].sort(),
  };
}

export function formatOf(
  { times, decimal, missing }: Pick<Decisions, 'times' | 'decimal' | 'missing'>,
  encoding: SourceFormat['encoding'],
): SourceFormat {
  return {
    ...(encoding === undefined ? {} : { encoding }),
    ...(times.length === 0 ? {} : { times: [...times] }),
    ...(decimal === ',' ? { decimal } : {}),
    ...(missing.length === 0 ? {} : { missing: [...missing] }),
  };
}

/** @param currency as the file says it, where no flag did: who answers wants to know of it */
function unanswered(questions: readonly Question[], currency: string | null): PipelineError {
  const needs = questions.map(({ flag, need }) => `${flag} (${need})`);
  const taken = currency === null ? '' : `. The money is ${currency}, as the file says: else --currency CODE`;
  return new PipelineError('INPUT_INVALID', `init needs ${needs.join('; ')}${taken}`, {
    questions: questions.length,
  });
}
