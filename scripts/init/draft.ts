import type { LocaleName } from '../../pipelines/contracts/definition.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { type MixedMoney, mixedMoney } from '../../pipelines/init/currencies.ts';
import { type Answers, draftDefinition, type Seen } from '../../pipelines/init/draft.ts';
import { CURRENCY_COLUMN, draftRules } from '../../pipelines/init/draft-rules.ts';
import { columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import type { DraftedAttribute } from '../../pipelines/init/pipeline-text.ts';
import { ROLES, type Role } from '../../pipelines/init/role-words.ts';
import { type Decisions, formatOf } from './decide.ts';
import type { Looking } from './inspect.ts';
import type { LookedAt } from './look.ts';
import { countBroken, measureCustomers, measureRows, readCanonical } from './measure.ts';

const DAY_MS = 86_400_000;
const DATE_LENGTH = 'YYYY-MM-DD'.length;
const SAME_PRODUCT_SHARE = 0.97;

export interface Drafted {
  texts: { pipeline: string; contract: string };
  seen: Seen;
  /** ISO date that the run needs to be told, since rows lie in the future; null: none does. */
  asOf: string | null;
}

interface Wishes {
  name: string;
  title: string;
  owner: string | null;
  locale: LocaleName;
  returns: 'refuse' | 'keep';
  asOf: string | undefined;
  customers: Answers['customers'];
}

/** What the rules would refuse is counted first: the borders of names come from the customers that are left. */
export async function draft(
  looking: Looking,
  table: LookedAt,
  decisions: Decisions,
  wishes: Wishes,
): Promise<Drafted> {
  const { facts } = table;
  const { roles } = decisions;
  const money = mixedMoney(facts, roles, decisions.currency);
  const attributes = currencyAttributes(money);
  const from = await readCanonical(looking, { from: table.from, facts, attributes, ...decisions });
  // Somewhere on earth it is tomorrow already.
  const tomorrow = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, DATE_LENGTH);
  const measured = await measureRows(looking, { from, roles, tomorrow });
  const { unreadableLines = 0 } = facts;
  const rows = { ...measured, rows: measured.rows + unreadableLines, unreadableLines };
  if (rows.newest === null) throw withoutTime(facts, roles);
  const rules = await countBroken(
    looking,
    from,
    draftRules(rows, {
      roles: new Set(Object.keys(roles) as Role[]),
      returns: wishes.returns,
      isProduct: isProduct(facts, roles),
      money: money.find(hasOwnWords) ?? null,
    }),
  );
  const dayAfter = new Date(Date.parse(`${rows.newest}T00:00:00Z`) + DAY_MS)
    .toISOString()
    .slice(0, DATE_LENGTH);
  const asOf = wishes.asOf ?? dayAfter;
  const customers = await measureCustomers(looking, { from, rules, asOf });
  const seen = { rows, rules, customers, money, files: table.names };
  const texts = draftDefinition({ ...answersOf(table, decisions, wishes), attributes }, seen);
  return { texts, seen, asOf: wishes.asOf ?? (rows.future > 0 ? dayAfter : null) };
}

const hasOwnWords = ({ own }: MixedMoney) => own.length > 0;

/** A column that names the currency of a row comes along where a rule can look at it. */
function currencyAttributes(money: readonly MixedMoney[]): DraftedAttribute[] {
  return money
    .filter(hasOwnWords)
    .slice(0, 1)
    .map(({ column }) => ({ name: CURRENCY_COLUMN, column, type: 'text' }));
}

function answersOf(table: LookedAt, decisions: Decisions, wishes: Wishes): Omit<Answers, 'attributes'> {
  const { guesses, currency, timezone } = decisions;
  const roles = Object.fromEntries(
    ROLES.flatMap((role) => {
      const { column, reasons } = guesses[role];
      return column === null ? [] : [[role, { column, why: reasons.join('; ') }]];
    }),
  );
  const time = columnOf(table.facts, decisions.roles.time!)!.time;
  return {
    ...wishes,
    currency,
    timezone,
    paths: table.paths,
    roles,
    format: formatOf(decisions, table.encoding),
    hasClock: time?.hasClock ?? true,
  };
}

function isProduct(facts: TableFacts, { amount, quantity, price }: Decisions['roles']): boolean {
  return facts.products.some(
    ({ product, factors, share }) =>
      product === amount &&
      share >= SAME_PRODUCT_SHARE &&
      [quantity, price].every((name) => factors.includes(name!)),
  );
}

function withoutTime(facts: TableFacts, roles: Decisions['roles']): PipelineError {
  return new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${facts.name} has no readable time in column ${roles.time}: say how it is written with --time-format, such as --time-format "%d.%m.%Y %H:%M"`,
    { file: facts.name, column: roles.time! },
  );
}
