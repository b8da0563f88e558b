import { quoteText } from '../contracts/sql-quote.ts';
import { humaneAbove, humaneBelow } from './bands.ts';
import type { MixedMoney } from './currencies.ts';
import type { MeasuredRows, Seen } from './measured.ts';
import { thousands } from './role-evidence.ts';
import type { Role } from './role-words.ts';

// The rules of a contract, from what was seen: what cannot be segmented is refused, what was never seen is told.
// They are neutral; `contract-text.ts` alone knows the form of the file.

export interface DraftedRule {
  name: string;
  kind: 'readable' | 'required' | 'condition' | 'enum' | 'unique';
  /** Canonical column; null: of the whole row. */
  column: string | null;
  /** SQL over the extract: true for a broken row. */
  broken: string;
  severity: 'reject' | 'warn';
  reason: string;
  /** Share of rows beyond which the run is refused, or a warning given. */
  limit?: number;
  /** Of `enum`, the words that are known. */
  words?: readonly string[];
}

export interface RuleOptions {
  roles: ReadonlySet<Role>;
  returns: 'refuse' | 'keep';
  /** Whether amount is quantity * price in nearly all rows. */
  isProduct: boolean;
  /** Column that names several currencies, one of them the pipeline's; null: there is none. */
  money: MixedMoney | null;
}

/** The attribute under which that column stands in the extract. */
export const CURRENCY_COLUMN = 'currency';

const BEYOND_SEEN = 10;
const MOST_PREFIXED_SHARE = 0.5;
const EARLIEST_YEARS = [2000, 1990, 1970] as const;

/** Every contract begins with it. */
const UNREADABLE: DraftedRule = {
  name: 'unreadable',
  kind: 'readable',
  column: null,
  broken: 'malformed IS NOT NULL',
  severity: 'reject',
  reason: 'a value was there that cannot be read',
};

/** In the order in which a row is counted under the first that it breaks. */
export function draftRules(seen: MeasuredRows, options: RuleOptions): DraftedRule[] {
  return [
    UNREADABLE,
    ...rulesOfWho(seen, options),
    ...rulesOfReturns(seen, options),
    ...rulesOfWhen(seen, options),
    ...rulesOfMoney(options),
    ...rulesOfCurrency(options),
    ...rulesOfSurprise(seen, options),
  ];
}

function rulesOfWho(seen: MeasuredRows, { roles }: RuleOptions): DraftedRule[] {
  const rules: DraftedRule[] = [
    {
      ...required('without-customer', 'customer_id'),
      reason: 'nobody can be found to whom the line belongs',
      ...limitOf(seen.withoutCustomer, seen.rows),
    },
  ];
  if (roles.has('line-id')) {
    rules.push({
      name: 'duplicate',
      kind: 'unique',
      column: 'line_id',
      broken: 'is_duplicate',
      severity: 'reject',
      reason: 'the same line was loaded before',
    });
  }
  if (roles.has('order'))
    rules.push({ ...required('without-order', 'order_id'), reason: 'the line belongs to no order' });
  return rules;
}

/** Orders that take others back, known by the letters before their number. */
function rulesOfReturns(seen: MeasuredRows, { returns, roles }: RuleOptions): DraftedRule[] {
  if (returns === 'keep' || !roles.has('order')) return [];
  return seen.prefixes
    .filter(
      ({ negativeShare, rows }) =>
        negativeShare >= 0.9 && rows >= 2 && rows < MOST_PREFIXED_SHARE * seen.rows,
    )
    .map(({ prefix, rows }, i) => ({
      name: i === 0 ? 'cancellation' : `cancellation-${prefix.toLowerCase()}`,
      kind: 'condition',
      column: 'order_id',
      broken: `starts_with(order_id, '${prefix}')`,
      severity: 'reject',
      reason: `orders whose number begins with ${prefix} take earlier ones back: seen in ${thousands(rows)} lines`,
    }));
}

function rulesOfWhen(seen: MeasuredRows, { roles }: RuleOptions): DraftedRule[] {
  const isStray = seen.ancient > 0 && seen.ancient < 0.01 * seen.rows;
  const year = isStray
    ? EARLIEST_YEARS[0]
    : EARLIEST_YEARS.find((earliest) => seen.oldest !== null && Number(seen.oldest.slice(0, 4)) >= earliest);
  const rules: DraftedRule[] = [
    { ...required('without-date', 'ordered_at'), reason: 'the time of the order is missing' },
  ];
  if (year !== undefined) {
    rules.push({
      name: 'too-old',
      kind: 'condition',
      column: 'ordered_at',
      broken: `ordered_at < TIMESTAMP '${year}-01-01 00:00:00'`,
      severity: 'reject',
      reason: `dated before ${year}, which is a mistyped or a made-up date`,
    });
  }
  if (roles.has('loaded-at')) {
    rules.push({
      name: 'future-date',
      kind: 'condition',
      column: 'ordered_at',
      broken: 'ordered_at > loaded_at',
      severity: 'reject',
      reason: 'the order is dated after the moment it was loaded',
    });
  }
  return rules;
}

function rulesOfMoney({ roles, returns, isProduct }: RuleOptions): DraftedRule[] {
  const rules: DraftedRule[] = [];
  const sign = (
    name: string,
    column: string,
    words: { refuse: string; keep: string },
    isOptional = false,
  ): DraftedRule => {
    const wrong = returns === 'refuse' ? `${column} <= 0` : `${column} = 0`;
    return {
      name,
      kind: 'condition',
      column,
      broken: isOptional ? wrong : `${wrong} OR ${column} IS NULL`,
      severity: 'reject',
      reason: words[returns],
    };
  };
  const hasAmount = roles.has('amount');
  if (roles.has('quantity'))
    rules.push(
      sign(
        'no-pieces',
        'quantity',
        { refuse: 'nothing was sold, or something came back', keep: 'neither sold nor taken back' },
        hasAmount,
      ),
    );
  if (roles.has('price') && !hasAmount) {
    rules.push({
      name: 'without-price',
      kind: 'condition',
      column: 'unit_price',
      broken: 'unit_price <= 0 OR unit_price IS NULL',
      severity: 'reject',
      reason: 'the line was free, or a correction of the books',
    });
  }
  if (hasAmount)
    rules.push(
      sign('without-amount', 'amount', { refuse: 'no money was made with the line', keep: 'no money moved' }),
    );
  if (isProduct && hasAmount && roles.has('quantity') && roles.has('price')) {
    rules.push({
      name: 'amount-differs',
      kind: 'condition',
      column: 'amount',
      broken: 'abs(amount - quantity * unit_price) > 0.01',
      severity: 'warn',
      limit: 0.05,
      reason: 'the amount is not the quantity times the price',
    });
  }
  return rules;
}

/** Told, not refused: that the column is right, and the amounts not converted already, is for a person to say. */
function rulesOfCurrency({ money }: RuleOptions): DraftedRule[] {
  if (money === null) return [];
  return [
    {
      ...listed('other-currency', CURRENCY_COLUMN, money.own),
      severity: 'warn',
      reason: 'money of another currency is added up as if it were of the own one',
    },
  ];
}

/** Nothing here is wrong by itself: it was only never seen. */
function rulesOfSurprise(seen: MeasuredRows, { roles }: RuleOptions): DraftedRule[] {
  const rules: DraftedRule[] = [];
  const far = (name: string, column: string, of: Seen | null) => {
    if (of === null || !(of.max > 0)) return;
    const most = humaneAbove(of.max * BEYOND_SEEN);
    rules.push({
      name,
      kind: 'condition',
      column,
      broken: `${column} > ${most}`,
      severity: 'warn',
      reason: 'more than ten times the largest seen when this was drafted',
    });
  };
  if (roles.has('quantity')) far('many-pieces', 'quantity', seen.quantity);
  if (roles.has('price')) far('high-price', 'unit_price', seen.price);
  if (roles.has('amount')) far('high-amount', 'amount', seen.amount);
  const lists = [
    ['channel', seen.channels],
    ['country', seen.countries],
  ] as const;
  for (const [column, words] of lists) {
    if (!roles.has(column) || words === null || words.length === 0) continue;
    rules.push({
      ...listed(`new-${column}`, column, words),
      severity: 'warn',
      reason: `none of the ${words.length} seen when this was drafted`,
    });
  }
  return rules;
}

function listed(
  name: string,
  column: string,
  words: readonly string[],
): Pick<DraftedRule, 'name' | 'kind' | 'column' | 'broken' | 'words'> {
  const list = words.map(quoteText).join(', ');
  return { name, kind: 'enum', column, broken: `${column} NOT IN (${list})`, words };
}

function required(name: string, column: string): Omit<DraftedRule, 'reason'> {
  return { name, kind: 'required', column, broken: `${column} IS NULL`, severity: 'reject' };
}

/** With head room: half as much again, and a little for those that had none. */
function limitOf(broken: number, rows: number): { limit?: number } {
  const share = rows === 0 ? 0 : broken / rows;
  return share < 0.001 ? {} : { limit: roomAbove(share * 1.5 + 0.02) };
}

/** To whole twentieths, and never all. */
export function roomAbove(share: number): number {
  return Math.min(0.95, Math.ceil(share * 20 - 1e-9) / 20);
}

export interface DraftedThresholds {
  warnRefusedShare: number;
  failRefusedShare: number;
  minimumCustomers: number;
  /** Rows that an extract has at least, or a warning is given. */
  minimumRows: number;
}

export function draftThresholds(seen: {
  rows: number;
  refused: number;
  customers: number;
}): DraftedThresholds {
  const share = seen.rows === 0 ? 0 : seen.refused / seen.rows;
  return {
    warnRefusedShare: roomAbove(share * 1.2 + 0.02),
    failRefusedShare: roomAbove(Math.max(0.2, share * 2)),
    minimumCustomers: Math.max(2, Math.min(humaneBelow(seen.customers / 3), seen.customers)),
    minimumRows: Math.max(1, humaneBelow(seen.rows / 3)),
  };
}
