// The catalogue's features once more, in plain loops over a handful of rows: what SQL and expressions have to equal.

export interface Line {
  customer: string;
  /** Null: the source has no number for the order. */
  order: string | null;
  /** Minutes since 1970-01-01 00:00 UTC. */
  minute: number;
  quantity: number;
  cents: number;
  category: string | null;
  channel: string | null;
  discountCents: number | null;
}

interface Order {
  id: string;
  minute: number;
  channel: string | null;
  lines: Line[];
}

const DAY = 24 * 60;
const dayOf = (minute: number) => Math.floor(minute / DAY);
const dateOf = (minute: number) => new Date(minute * 60_000);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const distinct = (values: readonly (string | number | null)[]) =>
  new Set(values.filter((value) => value !== null)).size;
const isoWeekday = (minute: number) => ((dateOf(minute).getUTCDay() + 6) % 7) + 1;

/** @param asOf minute of the as-of date's midnight; @param lines all of one customer, before it */
export function slowFeatures(
  lines: readonly Line[],
  asOf: number,
  longestGap: number,
): Record<string, number> {
  const orders = ordersOf(lines);
  const gaps = orders.slice(1).map((order, i) => dayOf(order.minute) - dayOf(orders[i]!.minute));
  const within = (from: number, to: number) =>
    lines.filter(({ minute }) => minute >= asOf - from * DAY && minute < asOf - to * DAY);
  const share = (holds: (line: Line) => boolean) => lines.filter(holds).length / lines.length;
  const cents = (some: readonly Line[]) => sum(some.map((line) => line.cents));
  const spendCents = cents(lines);
  const items = sum(lines.map(({ quantity }) => quantity));
  const recencyDays = dayOf(asOf) - dayOf(Math.max(...lines.map(({ minute }) => minute)));
  const tenureDays = dayOf(asOf) - dayOf(Math.min(...lines.map(({ minute }) => minute)));
  const recent = cents(within(90, 0));
  const before = cents(within(180, 90));
  const discount = sum(lines.map(({ discountCents }) => discountCents ?? 0));
  const known: Record<string, number> = {
    recencyDays,
    orders: orders.length,
    spendCents,
    tenureDays,
    items,
    lines: lines.length,
    categories: distinct(lines.map(({ category }) => category)),
    activeMonths: distinct(orders.map(({ minute }) => dateOf(minute).toISOString().slice(0, 7))),
    gapMeanDays: gaps.length > 0 ? sum(gaps) / gaps.length : longestGap,
    gapDeviationDays: gaps.length > 1 ? spreadOf(gaps) / gaps.length : 0,
    gapRegularity: gaps.length > 1 ? sum(gaps) / (sum(gaps) + spreadOf(gaps)) : 0,
    ordersLast90Days: orders.filter(({ minute }) => minute >= asOf - 90 * DAY).length,
    spendLast90DaysCents: recent,
    spendBefore90DaysCents: before,
    comingSeasonCents: cents(within(365, 275)),
    discountShare: lines.every(({ discountCents }) => discountCents === null)
      ? 0
      : discount / (spendCents + discount),
    returnShare: share((line) => line.cents < 0),
    channels: distinct(lines.map(({ channel }) => channel)),
    mainChannelShare: mostOf(orders.map(({ channel }) => channel).filter((channel) => channel !== null)),
    weekendShare: share(({ minute }) => isoWeekday(minute) >= 6),
    eveningShare: share(({ minute }) => dateOf(minute).getUTCHours() >= 18),
    workingHoursShare: share(({ minute }) => {
      const hour = dateOf(minute).getUTCHours();
      return isoWeekday(minute) <= 5 && hour >= 8 && hour <= 17;
    }),
    mainWeekdayShare: mostOf(orders.map(({ minute }) => isoWeekday(minute))),
    holidayShare: share(({ minute }) => dateOf(minute).getUTCMonth() >= 10),
    spend: spendCents / 100,
    averageOrderCents: spendCents / orders.length,
    itemsPerOrder: items / orders.length,
    trend: (recent - before) / (Math.abs(recent) + Math.abs(before)),
    recencyToGap: (recencyDays * orders.length) / (tenureDays - recencyDays + 90),
  };
  return Object.fromEntries(
    Object.entries(known).map(([name, value]) => [name, Number.isFinite(value) ? value : 0]),
  );
}

function orderId({ order, minute }: Line): string {
  return order ?? dateOf(minute).toISOString().slice(0, 19);
}

function ordersOf(lines: readonly Line[]): Order[] {
  const orders = new Map<string, Order>();
  for (const line of lines) {
    const id = orderId(line);
    const order = orders.get(id) ?? { id, minute: line.minute, channel: null, lines: [] };
    order.lines.push(line);
    order.minute = Math.min(order.minute, line.minute);
    if (line.channel !== null && (order.channel === null || line.channel < order.channel))
      order.channel = line.channel;
    orders.set(id, order);
  }
  return [...orders.values()].sort((a, b) => a.minute - b.minute || (a.id < b.id ? -1 : 1));
}

/** Population standard deviation times the number of values, with one rounding. */
function spreadOf(gaps: readonly number[]): number {
  return Math.sqrt(gaps.length * sum(gaps.map((gap) => gap * gap)) - sum(gaps) ** 2);
}

/** Share of the value that occurs most. */
function mostOf(values: readonly (string | number)[]): number {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(...counts.values()) / values.length;
}
