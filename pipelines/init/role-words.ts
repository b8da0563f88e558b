// What a column's name says, in English, German and the common words of French, Spanish and Italian. A name is
// made of words, `Kunden-Nr.` as much as `custId`; they are looked for in the name without gaps and accents,
// since many names are written as one word.

export const ROLES = [
  'customer',
  'time',
  'order',
  'quantity',
  'price',
  'amount',
  'discount',
  'category',
  'channel',
  'country',
  'line-id',
  'loaded-at',
] as const;
export type Role = (typeof ROLES)[number];

/** Canonical column of each role, as `source.columns` has it. */
export const CANONICAL_OF = {
  customer: 'customer_id',
  time: 'ordered_at',
  order: 'order_id',
  quantity: 'quantity',
  price: 'unit_price',
  amount: 'amount',
  discount: 'discount',
  category: 'category',
  channel: 'channel',
  country: 'country',
  'line-id': 'line_id',
  'loaded-at': 'loaded_at',
} as const satisfies Record<Role, string>;

interface Words {
  /** Words (without accents and gaps), each with how much it says, 0 to 1. */
  says: string;
  /** What may stand beside a word without changing what it means. */
  beside: RegExp;
  /** With one of these in the name it means something else. */
  not?: RegExp;
}

const IDS = /reference|number|numero|nummer|code|hash|uuid|ids|key|num|ref|id|no|nr/g;
const ANYTHING_SMALL =
  /position|invoice|product|brutto|gross|items|local|netto|order|sales|total|zeile|fact|item|kauf|line|sold|unit|chf|dim|eur|gbp|net|per|raw|src|the|usd|in|of/g;

const WORDS: Readonly<Record<Role, Words>> = {
  customer: {
    says: `customer 1, cust 1, client 1, kunde 1, kunden 1, shopper 1, buyer 1, member 0.95, user 0.95, account 0.85,
      kaeufer 1, klient 1, mitglied 0.95, benutzer 0.95, konto 0.8, cliente 1, acheteur 1, consumer 0.95, patron 0.8,
      kd 0.85, debitor 0.9, email 0.75, mail 0.65, loyalty 0.7, contact 0.7, household 0.8, hshd 0.8, panelist 0.8,
      guest 0.7, subscriber 0.85, visitor 0.6, person 0.7, uid 0.8, card 0.5, karte 0.5`,
    beside:
      /address|adresse|number|numero|nummer|unique|card|code|hash|uuid|ids|key|num|ref|en|id|no|nr|e|n|s/g,
    not: /name|segment|type|typ|group|gruppe|since|seit|country|land|city|stadt|status|age|alter|state|zip|plz|rating|count|anzahl|agent|service/,
  },
  time: {
    says: `orderdate 1, ordereddate 1, orderedat 1, orderedon 1, ordertime 1, ordertimestamp 1, orderdatetime 1,
      invoicedate 1, purchasedate 1, purchasedat 1, purchasetimestamp 1, transactiondate 1, transactiontime 1,
      transactiontimestamp 1, saledate 1, salesdate 1, bestelldatum 1, bestellzeit 1, bestelltam 1, rechnungsdatum 1,
      kaufdatum 1, verkaufsdatum 1, auftragsdatum 1, belegdatum 1, buchungsdatum 0.9, receiptdate 1, billdate 1,
      orderday 1, datetime 0.85, date 0.8, datum 0.8, timestamp 0.8, createdat 0.8, created 0.75, createdon 0.8,
      eventtime 0.8, occurredat 0.9, time 0.65, zeit 0.65, zeitpunkt 0.8, day 0.5, tag 0.4, fecha 0.8, data 0.3, dt 0.6,
      ts 0.6, when 0.5, erstellt 0.7`,
    beside: /approved|customer|purchase|approx|placed|event|local|order|cet|gmt|the|utc|am|at|id|of|on|um/g,
    not: /birth|geburt|update|modif|geaendert|chang|deliver|liefer|ship|versand|due|faellig|expir|ablauf|regist|signup|login|loaded|import|ingest|extract|sync|paid|payment|zahl|bezahl|cancel|return|refund|review|end|week|month|year|last|first|estimated|carrier/,
  },
  order: {
    says: `order 1, invoice 1, bestellung 1, bestell 1, auftrag 1, auftrags 1, rechnung 1, rechnungs 1, receipt 1,
      basket 1, transaction 0.9, trans 0.7, trx 0.9, txn 0.9, bon 0.9, beleg 0.95, ticket 0.85, purchase 0.9, bill 0.85,
      checkout 0.85, cart 0.8, warenkorb 0.95, kauf 0.7, einkauf 0.85, pedido 1, commande 1, factura 1, facture 1,
      ordine 1, vorgang 0.7, sale 0.7, session 0.45, visit 0.5, payment 0.5`,
    beside: IDS,
    not: /date|datum|zeit|time|day|line|zeile|pos|total|amount|sum|status|value|wert|count|qty|type|channel|item|customer|kunde/,
  },
  quantity: {
    says: `quantity 1, qty 1, quant 0.9, menge 1, anzahl 0.85, units 0.9, unitssold 1, pieces 0.95, stueck 0.95,
      stueckzahl 1, pcs 0.95, count 0.5, items 0.6, numitems 0.8, itemcount 0.8, cantidad 1, quantite 1, qte 1,
      quantita 1, number 0.3, volume 0.5, numberofitems 0.9`,
    beside: ANYTHING_SMALL,
    not: /price|preis|cost|id$|code|stock(?!code)|lager|available|onhand|min|max/,
  },
  price: {
    says: `unitprice 1, price 0.9, preis 0.9, stueckpreis 1, einzelpreis 1, itemprice 0.95, listprice 0.75,
      verkaufspreis 0.95, precio 0.9, prix 0.9, prezzo 0.9, unitcost 0.6, cost 0.4, kosten 0.3, rate 0.3, unitvalue 0.8`,
    beside: ANYTHING_SMALL,
    not: /total|sum|shipping|versand|freight|discount|rabatt|tax|steuer|ship|original|old|class|segment|extended/,
  },
  amount: {
    says: `amount 1, amt 1, linetotal 1, lineamount 1, extendedprice 1, revenue 1, umsatz 1, betrag 1, total 0.9,
      totalprice 0.95, summe 0.9, spend 0.95, spent 0.9, sales 0.85, salesvalue 1, turnover 0.95, gmv 0.95,
      paymentvalue 0.8, value 0.6, wert 0.6, subtotal 0.7, gesamt 0.8, gesamtpreis 0.95, gesamtbetrag 0.95, netto 0.7,
      brutto 0.7, net 0.5, gross 0.5, monto 0.95, montant 0.95, importe 0.95, importo 0.95, ordervalue 0.9, paid 0.6,
      payment 0.6, price 0.35, preis 0.35, money 0.7, bestellwert 0.9, warenwert 0.9, sum 0.7, dollars 0.9,
      euros 0.9, euro 0.7, pounds 0.8`,
    beside: ANYTHING_SMALL,
    not: /discount|rabatt|tax|steuer|mwst|vat|shipping|versand|freight|fee|gebuehr|tip|refund|unitprice|einzelpreis|stueckpreis|margin|profit|cost|balance|items|qty|quantity|score|date|datum|type|method/,
  },
  discount: {
    says: `discount 1, rabatt 1, rebate 0.9, nachlass 0.95, markdown 0.8, promo 0.5, couponamount 0.9, descuento 1,
      remise 1, sconto 1, voucheramount 0.9, retaildisc 0.8, disc 0.8`,
    beside: /amount|betrag|given|total|value|line|wert|amt|eur|gbp|usd/g,
    not: /percent|pct|prozent|rate|satz|code|id$|name|type/,
  },
  category: {
    says: `category 1, kategorie 1, warengruppe 1, productgroup 0.95, produktgruppe 0.95, productline 0.9,
      department 0.9, abteilung 0.85, sortiment 0.8, categoria 1, categorie 1, commodity 0.8, family 0.65, genre 0.8,
      brand 0.6, marke 0.6, stockcode 0.65, sku 0.6, product 0.65, produkt 0.65, productcode 0.6, artikel 0.6,
      article 0.6, itemcode 0.55, artikelnummer 0.6, itemid 0.45, item 0.45, style 0.4, asin 0.55, ean 0.55, upc 0.55,
      subcategory 0.8, material 0.4`,
    beside:
      /english|product|produkt|level1|number|nummer|haupt|title|code|desc|item|main|name|type|key|num|id|l1|no|nr/g,
    not: /description|beschreibung|bezeichnung|price|preis|qty|quantity|menge|count|customer|kunde|weight|cost|line(id|no|nr)|amount|discount|date|length/,
  },
  channel: {
    says: `channel 1, kanal 1, saleschannel 1, vertriebsweg 1, vertriebskanal 1, source 0.7, medium 0.6, platform 0.75,
      plattform 0.75, utmsource 0.8, store 0.5, shop 0.5, filiale 0.6, outlet 0.6, device 0.5, marketplace 0.7, canal 1`,
    beside: /marketing|purchase|traffic|online|order|sales|code|name|type|id|no|nr/g,
    not: /date|amount|price|country|city|zip|order(id|no)/,
  },
  country: {
    says: `country 1, land 1, nation 0.9, countrycode 1, pays 1, pais 1, paese 1, market 0.55, region 0.5, staat 0.5,
      state 0.3, laendercode 1, lieferland 1`,
    beside:
      /rechnungs|customer|delivery|shipping|billing|kunden|liefer|kunde|code|iso2|name|ship|iso|id|of|to/g,
    not: /date|amount|price/,
  },
  'line-id': {
    says: `lineid 1, orderlineid 1, lineitemid 1, transactionlineid 1, rowid 0.95, orderitemid 0.95, recordid 0.9,
      positionsnummer 0.8, positionsid 0.95, zeilenid 0.95, lineno 0.6, linenumber 0.6, id 0.6, uuid 0.7, rowkey 0.9,
      eventid 0.8, zeilennr 0.6, itemid 0.3`,
    beside: /transaction|rechnungs|bestell|invoice|unique|order|sales|line|row|id/g,
    not: /customer|kunde|client|user|product|sku|session/,
  },
  'loaded-at': {
    says: `loadedat 1, loaded 0.9, loaddate 1, loadtime 1, ingestedat 1, ingested 0.9, importedat 1, imported 0.9,
      importdatum 1, extractedat 1, extracted 0.9, syncedat 1, synced 0.95, insertedat 0.95, etltimestamp 1, etldate 1,
      geladenam 1, ladedatum 1, dwhloadts 1, exportedat 0.9`,
    beside:
      /timestamp|fivetran|airbyte|batched|record|stitch|data|date|time|dwh|etl|row|sdc|the|utc|at|db|on|ts/g,
  },
};

const SAID = new Map(
  ROLES.map((role) => [
    role,
    WORDS[role].says.split(',').map((pair) => {
      const [word, weight] = pair.trim().split(' ');
      return { word: word!, says: Number(weight) };
    }),
  ]),
);

/** Beside words that change what a name means, little of its worth is left. */
const CHANGED = 0.15;
/** Words that say nothing here nor there. */
const DILUTED = 0.7;
const SHORTEST_INSIDE = 4;

/** Without accents, gaps and case: `Kunden-Nr.` -> `kundennr`. */
export function plainName(name: string): string {
  const german = name
    .toLowerCase()
    .replace(/ä/g, 'ae')
    .replace(/ö/g, 'oe')
    .replace(/ü/g, 'ue')
    .replace(/ß/g, 'ss');
  return german
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

export interface Said {
  /** 0 to 1. */
  weight: number;
  /** The word that says it. */
  word: string;
}

/** Columns are held against one another, so that each name is asked for often. */
const known = new WeakMap<{ name: string }, Map<Role, Said>>();

/** What the name of a column says for a role. */
export function saysOf(column: { name: string }, role: Role): Said {
  const said = known.get(column) ?? new Map<Role, Said>();
  known.set(column, said);
  const found = said.get(role) ?? nameSays(column.name, role);
  said.set(role, found);
  return found;
}

/** How much a name says for a role. */
export function nameSays(name: string, role: Role): Said {
  const plain = plainName(name);
  const parts = partsOf(name);
  const { beside, not } = WORDS[role];
  let best = { weight: 0, word: '' };
  for (const { word, says } of SAID.get(role)!) {
    const at = placeOf(word, { plain, parts });
    if (at < 0) continue;
    const rest = plain.slice(0, at) + plain.slice(at + word.length);
    const isChanged = not?.test(rest) || (not?.test(plain) && !not.test(word));
    const weight = says * (isChanged ? CHANGED : rest.replace(beside, '') === '' ? 1 : DILUTED);
    // Of two words that weigh the same the longer one is meant.
    if (weight > best.weight || (weight === best.weight && word.length > best.word.length))
      best = { weight, word };
  }
  return best;
}

/** A short word has to stand alone, at the beginning or at the end: `kd` is not in every name with a k and a d. */
function placeOf(word: string, { plain, parts }: { plain: string; parts: readonly string[] }): number {
  if (plain === word) return 0;
  const part = parts.indexOf(word);
  if (part >= 0) return parts.slice(0, part).join('').length;
  if (word.length < SHORTEST_INSIDE) return -1;
  return plain.indexOf(word);
}

function partsOf(name: string): string[] {
  return name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .map(plainName)
    .filter(Boolean);
}

/** Whether a name says that its values are names of something, not amounts. */
export function isIdName(name: string): boolean {
  return /(id|no|nr|nummer|number|key|code|uuid|plz|zip|phone|telefon|year|jahr|age|alter)$/.test(
    plainName(name),
  );
}
