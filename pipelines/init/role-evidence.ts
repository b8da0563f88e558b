import { type ColumnFacts, determinedShare, type TableFacts } from './facts.ts';
import { isIdName, type Role, saysOf } from './role-words.ts';

// What the values of a column say for a role, whatever it is called: an order belongs to one customer, a customer
// comes again, amounts are products of pieces and prices. Null: the column cannot have the role.

export interface Evidence {
  /** -1 to 1. */
  score: number;
  /** In words, for the person who decides. */
  reasons: string[];
}

type Judge = (column: ColumnFacts, table: TableFacts) => Evidence | null;

/** A share that is as good as all: real files have exceptions. */
const NEARLY_ALL = 0.97;
/** Fewer different values than this are words of a list, no ids. */
const FEW_VALUES = 60;
const LONGEST_LIST = 300;
const LONG_HISTORY_DAYS = 30;
const DAY_MS = 86_400_000;

export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

export function percent(share: number): string {
  const text = (share * 100).toFixed(share > 0 && share < 0.001 ? 2 : 1);
  return `${text.replace(/\.0$/, '')} %`;
}

const customer: Judge = (column, table) => {
  if (!canBeId(column) || column.distinct < 2) return null;
  const each = column.filled / column.distinct;
  const reasons = [counted(column, table)];
  let score = 0;
  if (each >= 1.2) score += 0.3;
  else if (column.distinct === column.filled && column.filled > FEW_VALUES) {
    score -= 0.4;
    reasons.push('every row has another value');
  }
  if (column.distinct <= FEW_VALUES && each > 100) {
    score -= 0.6;
    reasons.push('few different values: words of a list, not people');
  }
  const order = best(table, (by) =>
    by !== column && by.distinct > column.distinct && saysOf(by, 'order').weight >= 0.5
      ? determinedShare(table, by.name, column.name)
      : 0,
  );
  if (order && order.share >= NEARLY_ALL && column.distinct > FEW_VALUES) {
    score += 0.5;
    reasons.push(`each ${order.column.name} has one ${column.name}${exceptions(order.share)}`);
  }
  if (column.emailShare >= NEARLY_ALL) {
    score += 0.2;
    reasons.push('its values are e-mail addresses');
  }
  return { score, reasons };
};

const time: Judge = ({ time: found, filled }, _table) => {
  if (!found || found.share < 0.5 || filled === 0) return null;
  const days = Math.round((Date.parse(`${found.to}Z`) - Date.parse(`${found.from}Z`)) / DAY_MS);
  const reasons = [`reads as a time, from ${found.from.slice(0, 10)} to ${found.to.slice(0, 10)}`];
  let score = found.share >= NEARLY_ALL ? 0.4 : 0.1;
  if (days >= LONG_HISTORY_DAYS) score += 0.3;
  if (found.hasClock) score += 0.1;
  return { score, reasons };
};

const order: Judge = (column, table) => {
  if (!canBeId(column) || column.distinct < 2) return null;
  const each = column.filled / column.distinct;
  const reasons = [counted(column, table)];
  let score = 0;
  const people = best(table, (of) =>
    of !== column && saysOf(of, 'customer').weight >= 0.5 && of.distinct <= column.distinct
      ? determinedShare(table, column.name, of.name)
      : 0,
  );
  if (people && people.share >= NEARLY_ALL) {
    score += 0.4;
    reasons.push(`each has one ${people.column.name}${exceptions(people.share)}`);
  } else if (people) {
    score -= 0.5;
    reasons.push(`${percent(1 - people.share)} of its values have more than one ${people.column.name}`);
  }
  const moment = best(table, (of) =>
    of.time && of !== column ? determinedShare(table, column.name, of.name) : 0,
  );
  if (moment && moment.share >= 0.9) {
    score += 0.3;
    reasons.push(`each has one ${moment.column.name}${exceptions(moment.share)}`);
  }
  if (each > 1000 || column.distinct < FEW_VALUES / 2) score -= 0.4;
  return { score, reasons };
};

const quantity: Judge = (column, table) => {
  const numbers = amountsOf(column);
  if (!numbers) return null;
  const reasons = [`from ${figure(numbers.min)} to ${figure(numbers.max)}`];
  let score = 0;
  if (numbers.wholeShare >= 0.999) {
    score += 0.3;
    reasons.push('whole numbers');
  } else {
    score -= 0.3;
    reasons.push(`${percent(1 - numbers.wholeShare)} have a fraction`);
  }
  if (Math.abs(numbers.median) > 10_000 || column.distinct === column.filled) score -= 0.5;
  const product = productOf(table, ({ factors }) => factors.includes(column.name));
  if (product && numbers.wholeShare >= 0.999) {
    score += 0.4;
    reasons.push(said(product));
  }
  return { score, reasons };
};

/** What price and amount have in common; the product that the column is part of, or is, is each one's own. */
function moneyOf(column: ColumnFacts, table: TableFacts, isOfColumn: (product: Product) => boolean) {
  const numbers = amountsOf(column);
  if (!numbers) return null;
  const { min, max, median, wholeShare } = numbers;
  const reasons = [`from ${figure(min)} to ${figure(max)}, half below ${figure(median)}`];
  if (wholeShare < 0.95) reasons.push('has decimals');
  const product = productOf(table, isOfColumn);
  return { numbers, score: wholeShare < 0.95 ? 0.2 : 0, reasons, product };
}

const price: Judge = (column, table) => {
  const money = moneyOf(column, table, ({ factors }) => factors.includes(column.name));
  if (!money) return null;
  const { numbers, reasons, product } = money;
  let { score } = money;
  if (numbers.negativeShare < 0.001) score += 0.1;
  if (product) {
    score += numbers.wholeShare < 0.999 ? 0.4 : 0.1;
    reasons.push(said(product));
  }
  return { score, reasons };
};

const amount: Judge = (column, table) => {
  const money = moneyOf(column, table, ({ product }) => product === column.name);
  if (!money) return null;
  const { reasons, product } = money;
  let { score } = money;
  if (product) {
    score += 0.5;
    reasons.push(`it is ${product.factors.join(' × ')} in ${percent(product.share)} of the rows`);
  }
  const whole = best(table, (by) =>
    saysOf(by, 'order').weight >= 0.5 && canBeId(by) && by.filled / by.distinct > 1.3
      ? determinedShare(table, by.name, column.name)
      : 0,
  );
  if (whole && whole.share >= NEARLY_ALL) {
    score -= 0.7;
    reasons.push(
      `all rows of one ${whole.column.name} have the same: the money of the order, which would count with every line`,
    );
  }
  return { score, reasons };
};

const discount: Judge = (column) => {
  const numbers = amountsOf(column);
  // Between 0 and 1 it is a share of the price, not money.
  if (!numbers || (numbers.max <= 1 && numbers.wholeShare < 1)) return null;
  return { score: 0.2, reasons: [`from ${figure(numbers.min)} to ${figure(numbers.max)}`] };
};

const list =
  (longest: number): Judge =>
  (column, table) => {
    if (column.kind === 'nested' || column.kind === 'time' || column.kind === 'boolean') return null;
    if (column.distinct < 1 || (column.number && column.number.wholeShare < 1)) return null;
    const reasons = [counted(column, table)];
    const each = column.filled / column.distinct;
    if (column.distinct > longest || each < 1.5) return { score: -0.6, reasons };
    return { score: column.distinct >= 2 ? 0.3 : -0.2, reasons };
  };

const lineId: Judge = (column) => {
  if (!canBeId(column) || column.filled < 2) return null;
  if (column.distinct < 0.98 * column.filled || column.filled < 0.98 * column.rows) return null;
  return {
    score: column.distinct === column.rows ? 0.4 : 0.1,
    reasons: [
      column.distinct === column.rows
        ? 'every row has another value'
        : `${thousands(column.filled - column.distinct)} rows repeat a value`,
    ],
  };
};

const loadedAt: Judge = ({ time: found }) => {
  if (!found || found.share < NEARLY_ALL) return null;
  return {
    score: 0.2,
    reasons: [`reads as a time, from ${found.from.slice(0, 10)} to ${found.to.slice(0, 10)}`],
  };
};

/** Products are thousands, which is no fault of a category. */
const MOST_CATEGORIES = 1_000_000;

export const EVIDENCE: Readonly<Record<Role, Judge>> = {
  customer,
  time,
  order,
  quantity,
  price,
  amount,
  discount,
  category: list(MOST_CATEGORIES),
  channel: list(FEW_VALUES),
  country: list(LONGEST_LIST),
  'line-id': lineId,
  'loaded-at': loadedAt,
};

function canBeId(column: ColumnFacts): boolean {
  if (column.filled === 0 || column.kind === 'time' || column.kind === 'boolean' || column.kind === 'nested')
    return false;
  const numbers = column.number;
  return !numbers || (numbers.wholeShare >= 0.999 && numbers.negativeShare < 0.01);
}

function amountsOf(column: ColumnFacts) {
  if (column.kind !== 'number' || isIdName(column.name) || column.leadingZeroShare > 0.01) return null;
  return column.number;
}

type Product = TableFacts['products'][number];

function productOf(table: TableFacts, isOfColumn: (product: Product) => boolean): Product | undefined {
  return table.products.find((product) => product.share >= NEARLY_ALL && isOfColumn(product));
}

function said({ factors, product, share }: Product): string {
  return `${factors.join(' × ')} is ${product} in ${percent(share)} of the rows`;
}

/** The column with the largest share, the first by name where several have it; null without any. */
function best(
  table: TableFacts,
  shareOf: (column: ColumnFacts) => number,
): { column: ColumnFacts; share: number } | null {
  return table.columns
    .map((column) => ({ column, share: shareOf(column) }))
    .filter(({ share }) => share > 0)
    .reduce<{ column: ColumnFacts; share: number } | null>(
      (left, right) =>
        left === null ||
        right.share > left.share ||
        (right.share === left.share && right.column.name < left.column.name)
          ? right
          : left,
      null,
    );
}

function counted({ distinct, filled }: ColumnFacts, { rows, rowsSeen }: TableFacts): string {
  const each = filled / Math.max(1, distinct);
  const rounded = each < 10 ? each.toFixed(1).replace(/\.0$/, '') : thousands(Math.round(each));
  const sample = rowsSeen < rows ? ' of a sample' : '';
  const values = distinct === 1 ? 'one value' : `${thousands(distinct)} different values`;
  return `${values} in ${thousands(filled)} rows${sample}, ${rounded} ${rounded === '1' ? 'row' : 'rows'} each`;
}

function exceptions(share: number): string {
  return share === 1 ? '' : ` (${percent(share)} of them)`;
}

/** Four digits say enough of a figure that is only seen. */
function figure(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 4 });
}
