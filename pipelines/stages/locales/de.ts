import type { BandChange, Locale } from './locale.ts';

const SYMBOLS: Readonly<Record<string, string>> = { EUR: '€', GBP: '£', JPY: '¥', USD: '$' };
const BANDS: Readonly<Record<BandChange['role'], string>> = { stage: 'Phasen', value: 'Wertstufen' };

function changed(changes: readonly BandChange[]): string {
  return changes
    .map(({ role, given, present }) =>
      given === present
        ? `den ${BANDS[role]}, die innerhalb der Version ${present} geändert wurden`
        : `den ${BANDS[role]} der Version ${present} (vergeben nach Version ${given})`,
    )
    .join(' und ');
}

export const de: Locale = {
  numbers: { thousands: '.', decimal: ',' },
  money: (currency, amount) => `${amount} ${SYMBOLS[currency] ?? currency}`,
  days: (text) => `${text} ${text === '1' ? 'Tag' : 'Tage'}`,
  below: (text) => `unter ${text}`,
  labels: {
    recencyDays: 'Bestellpause',
    orders: 'Bestellungen',
    spend: 'Umsatz',
    spendCents: 'Umsatz',
    tenureDays: 'Beziehungsdauer',
    items: 'Artikel',
    lines: 'Positionen',
    products: 'Produkte',
    categories: 'Warengruppen',
    activeMonths: 'Kaufmonate',
    gapMeanDays: 'Bestellabstand',
    gapDeviationDays: 'Abstandsschwankung',
    gapRegularity: 'Regelmäßigkeit',
    ordersLast90Days: 'Bestellungen in 90 Tagen',
    spendLast90DaysCents: 'Umsatz in 90 Tagen',
    spendBefore90DaysCents: 'Umsatz im Quartal davor',
    comingSeasonCents: 'Vorjahresumsatz der nächsten Monate',
    discountShare: 'Rabattanteil',
    returnShare: 'Retourenanteil',
    channels: 'Kanäle',
    mainChannelShare: 'Anteil des Hauptkanals',
    workingHoursShare: 'Anteil zu Geschäftszeiten',
    mainWeekdayShare: 'Anteil des häufigsten Wochentags',
    weekendShare: 'Wochenendanteil',
    eveningShare: 'Abendanteil',
    holidayShare: 'Anteil im November und Dezember',
    marketplaceShare: 'Marktplatzanteil',
    averageOrderCents: 'Bestellwert',
    itemsPerOrder: 'Artikel je Bestellung',
    trend: 'Umsatztrend',
    recencyToGap: 'Bestellpause in üblichen Abständen',
  },

  vocabulary: {
    stage: ['Aktive', 'Nachlassende', 'Abwandernde', 'Inaktive'],
    value: ['umsatzschwache', 'umsatzmittlere', 'umsatzstarke'],
    traits: {
      orders: { high: 'Vielbesteller', low: 'Gelegenheitskäufer' },
      tenureDays: { high: 'Langzeitkunden', low: 'neuere Kunden' },
      categories: { high: 'vielseitige Käufer', low: 'gezielte Käufer' },
      activeMonths: { high: 'Ganzjahreskäufer' },
      gapRegularity: { high: 'regelmäßige Käufer' },
      averageOrderCents: { high: 'Großbesteller', low: 'Kleinbesteller' },
      itemsPerOrder: { high: 'Großmengenkäufer' },
      trend: { high: 'zulegende Käufer', low: 'rückläufige Käufer' },
      recencyToGap: { high: 'überfällige Kunden' },
      discountShare: { high: 'Rabattkäufer', low: 'Normalpreiskäufer' },
      returnShare: { high: 'häufige Rücksender' },
      channels: { high: 'Mehrkanalkäufer' },
      mainChannelShare: { high: 'Einkanalkäufer' },
      weekendShare: { high: 'Wochenendkäufer' },
      eveningShare: { high: 'Abendkäufer' },
      workingHoursShare: { high: 'Bürozeitenkäufer' },
      holidayShare: { high: 'Jahresendkäufer' },
    },
  },

  name: {
    // Stage and value are adjectives, which need a noun; nouns keep their capital.
    join: ({ bands, trait, comparisons }) => {
      const noun = trait ?? (bands.length > 0 ? 'Kunden' : null);
      const people = [...bands, ...(noun === null ? [] : [noun])].join(' ');
      return [people, ...comparisons].filter(Boolean).join(', ');
    },
    comparison: (place, label) =>
      `${label.replace(/\s+/g, '-')} ${{ low: 'niedriger', middle: 'dazwischen', high: 'höher' }[place]}`,
    nobody: 'Kunden',
  },

  description: {
    who: ({ customers, count, share, spendShare }) => {
      const people = `${count} ${customers === 1 ? 'Kunde' : 'Kunden'}, ${share} aller Kunden`;
      return spendShare === null ? people : `${people}, mit ${spendShare} des Umsatzes`;
    },
    typical: ({ label, own, all, isMean }) => `${label} ${isMean ? 'im Mittel ' : ''}${own} (alle: ${all})`,
    text: ({ who, typical, toDo, notToDo }) =>
      `${who}. Typisch: ${typical.join('; ')}. Empfohlen: ${toDo}. Zu vermeiden: ${notToDo}.`,
  },

  reasons: {
    named: 'nach seinen Zahlen benannt',
    unbacked: 'keine Zahl unterscheidet es von einem anderen Segment',
    kept: 'behält seinen Namen',
    givenOn: 'behält seinen Namen mit seiner Kennung dahinter, weil inzwischen ein anderes Segment so heißt',
    renewed: (changes) => `behält seinen Namen, den seine Zahlen auch nach ${changed(changes)} tragen`,
    doubtful: (words, changes) => {
      const by = changes.length === 0 ? '' : `nach ${changed(changes)} `;
      const claims = words.map((word) => `„${word}“`).join(', ');
      return `behält seinen Namen, obwohl seine Zahlen ${by}${claims} nicht mehr belegen`;
    },
  },

  byRecency: {
    low: {
      high: {
        toDo: 'danken, Neues zuerst zeigen, um Weiterempfehlung bitten',
        notToDo: 'Rabatt auf das geben, was sie ohnehin kaufen',
      },
      middle: {
        toDo: 'Passendes zu den letzten Bestellungen vorschlagen, solange sie aktiv sind',
        notToDo: 'allen dieselbe Nachricht noch öfter schicken',
      },
      low: {
        toDo: 'bei der nächsten Bestellung helfen: zeigen, was andere nach ihrer ersten gekauft haben',
        notToDo: 'vor der nächsten Bestellung Geld für Geschenke ausgeben',
      },
    },
    middle: {
      high: {
        toDo: 'persönlich melden, bevor sie weg sind, und an das anknüpfen, was sie gekauft haben',
        notToDo: 'warten, dass sie von selbst zurückkommen',
      },
      middle: {
        toDo: 'mit einem guten Grund zur Rückkehr erinnern',
        notToDo: 'gleich mit einem hohen Rabatt beginnen',
      },
      low: {
        toDo: 'in regelmäßige Neuigkeiten aufnehmen und beobachten, wer reagiert',
        notToDo: 'Werbung bezahlen, um sie zu erreichen',
      },
    },
    high: {
      high: {
        toDo: 'fragen, was sich geändert hat, und ein persönliches Angebot zur Rückkehr machen',
        notToDo: 'wie Neukunden behandeln',
      },
      middle: {
        toDo: 'ein einziges, gut gewähltes Angebot zur Rückkehr versuchen',
        notToDo: 'so häufig schreiben wie bisher',
      },
      low: {
        toDo: 'eine günstige Erinnerung schicken, danach nur noch selten schreiben',
        notToDo: 'fest mit ihnen planen oder für ihre Ansprache bezahlen',
      },
    },
  },

  byValue: {
    high: { toDo: 'persönlich betreuen', notToDo: 'Rabatt auf das geben, was sie ohnehin kaufen' },
    middle: {
      toDo: 'Passendes zu den letzten Bestellungen vorschlagen',
      notToDo: 'gleich mit einem hohen Rabatt beginnen',
    },
    low: {
      toDo: 'in regelmäßige Neuigkeiten aufnehmen',
      notToDo: 'mehr ausgeben, um sie zu erreichen, als sie selbst ausgeben',
    },
  },
};
