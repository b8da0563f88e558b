import type { Random } from '../../numeric/random/random.ts';
import { DAY_MINUTES, type ShopMonth } from './calendar.ts';
import {
  CATEGORIES,
  CHANNELS,
  MONTHLY_APP_GROWTH,
  MONTHLY_INFLATION,
  SHOP_SEASON,
  shelfPrice,
} from './catalogue.ts';
import { logNormal, poisson, weighted } from './chance.ts';
import { GROUPS, type Group } from './groups.ts';
import type { Population } from './population.ts';

/** One line of an order as the shop's own system would know it: without any fault. */
export interface SaleLine {
  customer: number;
  /** From 1, counted through the shop's life; a return has its own number, below 0. */
  order: number;
  orderedAt: number;
  pieces: number;
  priceCents: number;
  category: number;
  channel: number;
  country: number;
}

/** Orders come from 7 to 23 o'clock, so that a night's load has the whole day. */
const OPENING_MINUTE = 7 * 60;
const OPEN_MINUTES = 16 * 60;
const AVERAGE_MONTH_DAYS = 30.4;
const FAVOURITE_SHARE = 0.45;
const PRICE_SIGMA = 0.45;
const RETURN_CHANCE = 0.03;
const RETURN_DAYS = { least: 2, spread: 20 };

/** A customer's lines of one month; returns among them carry a later day. */
export type MonthOfOrders = (customer: number) => SaleLine[];

interface Shop {
  population: Population;
  random: Random;
  /** The midnight that ends the books. */
  until: number;
  nextOrder(): number;
}

export function openMonth(month: ShopMonth, shop: Shop): MonthOfOrders {
  const { population, random, nextOrder } = shop;
  const channels = GROUPS.map((group) => weighted(channelWeights(group, month)));
  const drawGoods = openShelves(month, shop);
  return (customer) => {
    const lines: SaleLine[] = [];
    const index = population.group[customer]!;
    const group = GROUPS[index]!;
    const country = population.country[customer]!;
    for (let left = ordersIn(month, { population, customer, random }); left > 0; left--) {
      const order = nextOrder();
      const day = month.dayOf[group.rhythm](random);
      const orderedAt = month.startMinutes + day * DAY_MINUTES + drawMinute(random);
      const channel = channels[index]!(random);
      for (let more = poisson(random, group.furtherLines); more >= 0; more--) {
        const { category, pieces, priceCents } = drawGoods(customer, group);
        // Written out: spreading one object into another took most of the time of millions of lines.
        const line = { customer, order, orderedAt, pieces, priceCents, category, channel, country };
        lines.push(line);
        const returned = random.float() < RETURN_CHANCE ? takeBack(line, shop) : undefined;
        if (returned) lines.push(returned);
      }
    }
    return lines;
  };
}

type Goods = Pick<SaleLine, 'category' | 'pieces' | 'priceCents'>;

/** What a line is about, at this month's demand and prices. */
function openShelves(month: ShopMonth, { population, random }: Shop) {
  const inDemand = weighted(CATEGORIES.map(({ demand }) => demand[month.calendarMonth]!));
  const priceLevel = (1 + MONTHLY_INFLATION) ** month.index;
  return (customer: number, group: Group): Goods => {
    const isFavourite = random.float() < FAVOURITE_SHARE;
    const category = isFavourite ? population.favourite[customer]! : inDemand(random);
    const pieces = 1 + poisson(random, group.furtherPieces);
    const median = CATEGORIES[category]!.priceCents * group.priceFactor * priceLevel;
    return { category, pieces, priceCents: shelfPrice(median * logNormal(random, PRICE_SIGMA)) };
  };
}

function channelWeights({ channels }: Group, { index }: ShopMonth): number[] {
  const appGrowth = (1 + MONTHLY_APP_GROWTH) ** index;
  return channels.map((weight, i) => (CHANNELS[i] === 'app' ? weight * appGrowth : weight));
}

/** A credit note some days later; undefined when the books end before it. */
function takeBack(line: SaleLine, { random, until, nextOrder }: Shop): SaleLine | undefined {
  const days = RETURN_DAYS.least + random.int(RETURN_DAYS.spread);
  const orderedAt = line.orderedAt + days * DAY_MINUTES;
  if (orderedAt >= until) return undefined;
  return { ...line, order: -nextOrder(), orderedAt, pieces: -line.pieces };
}

/** How often a customer orders in the month; at least once in the month of arrival. */
function ordersIn(
  month: ShopMonth,
  { population, customer, random }: { population: Population; customer: number; random: Random },
): number {
  const arrival = population.arrival[customer]!;
  if (month.index < arrival) return 0;
  const group = GROUPS[population.group[customer]!]!;
  const season = (group.season ?? SHOP_SEASON)[month.calendarMonth]!;
  const days = month.days / AVERAGE_MONTH_DAYS;
  const mean = group.ordersPerMonth * population.activity[customer]! * season * days;
  // Whoever arrives comes in the middle of the month on average.
  return month.index === arrival ? 1 + poisson(random, mean / 2) : poisson(random, mean);
}

/** Most orders in the late afternoon: the mean of two even draws. */
function drawMinute(random: Random): number {
  return OPENING_MINUTE + Math.floor((random.int(OPEN_MINUTES) + random.int(OPEN_MINUTES)) / 2);
}
