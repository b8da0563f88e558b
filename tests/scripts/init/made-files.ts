import { gzipSync } from 'node:zlib';

// Small extracts, the same each time. German ones as a till would write them: semicolons, commas, windows-1252.

const CUSTOMERS = 120;
const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-02T09:00:00Z');

interface Line {
  order: number;
  customer: number;
  at: Date;
  quantity: number;
  price: number;
}

/** A few rhythms and purses, spread over a year by a rule in place of chance. */
function madeLines(): Line[] {
  const lines: Line[] = [];
  let order = 70_000;
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const orders = 1 + (customer % 7) * (customer % 3);
    for (let i = 0; i < orders; i++) {
      const day = (customer * 37 + i * (20 + (customer % 5) * 9)) % 350;
      const at = new Date(START + day * DAY_MS + ((customer * 13 + i * 7) % 600) * 60_000);
      const price = ((customer * 29 + i * 11) % 900) / 10 + 1.25;
      lines.push({ order: order++, customer, at, quantity: 1 + ((customer + i) % 4), price });
    }
  }
  return lines;
}

const two = (value: number) => String(value).padStart(2, '0');
const comma = (value: number) => value.toFixed(2).replace('.', ',');

export function germanTill(): Buffer {
  const header = 'Beleg-Nr;Kunden-Nr;Belegdatum;Menge;Stückpreis;Betrag;Warengruppe;Land';
  const rows = madeLines().map(({ order, customer, at, quantity, price }, i) => {
    const day = `${two(at.getUTCDate())}.${two(at.getUTCMonth() + 1)}.${at.getUTCFullYear()}`;
    const pieces = i % 40 === 7 ? -quantity : quantity;
    const who = i % 25 === 3 ? 'NULL' : `0${1000 + customer}`;
    const cells = [
      `${pieces < 0 ? 'S' : ''}${order}`,
      who,
      `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`,
      pieces,
      `${comma(price)} €`,
      `${comma(pieces * price)} €`,
      ['Möbel', 'Küche', 'Bad'][customer % 3],
      ['DE', 'AT', 'NA'][customer % 3],
    ];
    return cells.join(';');
  });
  return windows1252([header, ...rows, ''].join('\r\n'));
}

/** Latin letters are one byte each, the euro is another one. */
function windows1252(text: string): Buffer {
  return Buffer.from(text.replaceAll('€', '\u0080'), 'latin1');
}

export function germanCustomers(): string {
  const rows = Array.from({ length: CUSTOMERS }, (_, i) =>
    [
      `0${1000 + i}`,
      `Person ${i}`,
      1950 + (i % 50),
      i % 2 ? 'true' : 'false',
      ['Wien', 'Ulm'][i % 2],
      '2024-05-01',
    ].join(';'),
  );
  return ['Kunden-Nr;Name;Geburtsjahr;Newsletter;Ort;Angemeldet am', ...rows, ''].join('\n');
}

/** Plain: ISO times, points, commas between. */
export function plainOrders(): string {
  const rows = madeLines().map(({ order, customer, at, quantity, price }) =>
    [order, `c${customer}`, at.toISOString().slice(0, 19), quantity, price.toFixed(2)].join(','),
  );
  return ['order_id,customer_id,ordered_at,quantity,unit_price', ...rows, ''].join('\n');
}

export function plainCustomers(): string {
  const rows = Array.from(
    { length: CUSTOMERS },
    (_, i) => `c${i},${['gold', 'plain'][i % 2]},${i % 30},${['GB', 'IE'][i % 2]}`,
  );
  return ['customer_id,tier,visits,country', ...rows, ''].join('\n');
}

export function plainOrdersZipped(): Buffer {
  return gzipSync(plainOrders());
}

/** Prices in pounds, and in a few rows in dollars; a column says so as well, but for its signs. */
export function mixedMoney({ isSign }: { isSign: boolean }): string {
  const rows = madeLines().map(({ customer, at, price }, i) => {
    const code = i % 50 === 9 ? 'USD' : 'GBP';
    const money = isSign ? `${code === 'USD' ? '$' : '£'}${price.toFixed(2)}` : price.toFixed(2);
    return [`c${customer}`, at.toISOString().slice(0, 19), money, isSign ? 'yes' : code].join(',');
  });
  return [`customer_id,ordered_at,amount,${isSign ? 'gift' : 'Currency'}`, ...rows, ''].join('\n');
}

/** No day above 12: nobody can tell which one is the month. */
export function ambiguousDates(): string {
  const rows = madeLines().map(
    ({ customer, at, price }) =>
      `${customer},${(at.getUTCDate() % 12) + 1}/${at.getUTCMonth() + 1}/2025,${price.toFixed(2)}`,
  );
  return ['client,purchase date,amount', ...rows, ''].join('\n');
}

export function monthFirst(): string {
  const rows = madeLines().map(
    ({ customer, at, price }) =>
      `${customer},${at.getUTCMonth() + 1}/${at.getUTCDate()}/2025,${price.toFixed(2)}`,
  );
  return ['client,purchase date,amount', ...rows, ''].join('\n');
}

/** The same lines as an English and as a German spreadsheet writes them. */
export function spentOn(decimal: '.' | ','): string {
  const isGerman = decimal === ',';
  const gap = isGerman ? ';' : ',';
  const rows = madeLines().map(({ customer, at, price }) => {
    const [year, month, day] = at.toISOString().slice(0, 10).split('-');
    const date = isGerman ? `${day}.${month}.${year}` : `${year}-${month}-${day}`;
    return [`c${customer}`, date, price.toFixed(2).replace('.', decimal)].join(gap);
  });
  return [['customer_id', 'ordered_at', 'spent'].join(gap), ...rows, ''].join('\n');
}

/** Two rows lie a hundred years ahead. */
export function withFuture(): string {
  return `${plainOrders()}90001,c1,2125-01-01T10:00:00,1,2.50\n90002,c2,2125-01-02T10:00:00,1,2.50\n`;
}
