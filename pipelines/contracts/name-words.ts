// Words that have no place in a name of customers. Names are forwarded, printed on letters' lists and read by those
// they are about. The list is short and checked by people: it stops what is plainly wrong, in English and German
// whatever the language of the name; docs/naming.md says what it cannot know.

/** Stage + value + trait; more is a description. */
export const MOST_NAME_WORDS = 4;

/** Words as a reader counts them: what stands between blanks and has a letter or digit; `big-order` is one. */
export function countNameWords(name: string): number {
  return name.split(/\s+/).filter((part) => /[\p{L}\p{N}]/u.test(part)).length;
}

const ENGLISH_ENDINGS = ['', 's', 'es'];
const GERMAN_ENDINGS = ['', 'e', 'en', 'er', 'es', 'em', 'n', 's', 'in', 'innen'];

// Grounds on which nobody may be treated differently (GDPR article 9, the EU directives on equal treatment, the German
// AGG): origin, religion, politics, health, sex and whom one loves, age, family.
const PROTECTED_ENGLISH = words(`
  racial ethnic ethnicity negro negroes asian asians african africans latino latina latinos latinas hispanic
  hispanics arab arabs gypsy gypsies migrant immigrant foreigner refugee
  religion religious muslim islamic jew jewish christian catholic protestant hindu buddhist atheist
  political republican democrat communist socialist unionist
  disabled disability handicapped deaf sick ill illness disease depressed depression diabetic diabetes cancer hiv
  addict addicted alcoholic pregnant pregnancy obese overweight
  male female man men woman women boy girl lady ladies gentleman gentlemen gay lesbian bisexual homosexual transgender
  transsexual queer
  senior elderly pensioner teen teenager young younger older youth boomer
  married unmarried divorced divorcee widow widower widowed mother father mum mom dad childless
  poor poverty unemployed jobless`);

const PROTECTED_GERMAN = words(`
  rasse rassisch ethnisch ethnie asiat afrikaner araber zigeuner migrant ausländer ausländisch flüchtling
  religion religiös muslim moslem islamisch jude jüdisch christ christlich katholik katholisch protestant evangelisch
  hindu buddhist atheist
  politisch kommunist sozialist gewerkschafter gewerkschaftlich
  behindert behinderung schwerbehindert taub gehörlos krank kranke krankheit depressiv depression diabetiker krebskrank
  süchtig alkoholiker schwanger schwangerschaft übergewichtig fettleibig
  männlich weiblich mann männer frau dame damen herr herren mädchen junge schwul lesbisch lesbe bisexuell homosexuell
  transgender transsexuell
  senior rentner greis betagt jugendlich teenager jünger älter
  verheiratet ledig geschieden witwe witwer alleinerziehend mutter mütter vater väter kinderlos
  armut arbeitslos`);

const INSULTS_ENGLISH = words(`
  idiot moron stupid dumb fool loser cheapskate miser stingy freeloader leech parasite deadbeat worthless useless trash
  garbage scum junkie ugly fat lazy crazy psycho retard retarded pathetic annoying whiner complainer troublemaker
  nuisance zombie corpse dead bastard bitch crap shit whore slut asshole`);

const INSULTS_GERMAN = words(`
  arme
  idiot trottel depp dumm dummkopf dummköpfe blöd doof verlierer versager geizhals geizhälse geizkragen
  geizig knauser knauserig schnorrer schmarotzer parasit wertlos nutzlos abschaum müll hässlich fett faul verrückt irre
  nervig nörgler querulant karteileiche leiche zombie spinner penner asozial bastard hure schlampe arsch arschloch
  arschlöcher scheiß scheiße`);

/** Pairs in which such a word is of goods or of days. */
const HARMLESS = new Set([
  ...['mother day', 'mothers day', 'father day', 'fathers day', 'dead sea', 'low fat', 'full fat'],
  ...[
    'garbage bag',
    'garbage bags',
    'trash bag',
    'trash bags',
    'fidget spinner',
    'junge mode',
    'young fashion',
  ],
]);

/** Said of people these are protected traits; of goods they are colours. */
const OF_PEOPLE = words('black white coloured colored blind schwarze weiße farbige blinde');
const PEOPLE = words(`
  people customers customer buyers buyer shoppers shopper persons folks clients
  kunden kundinnen käufer käuferinnen menschen leute personen`);

const REFUSED = new Set([
  ...inflected([...PROTECTED_ENGLISH, ...INSULTS_ENGLISH], ENGLISH_ENDINGS),
  ...inflected([...PROTECTED_GERMAN, ...INSULTS_GERMAN], GERMAN_ENDINGS),
]);

/**
 * The words of a name that a customer should not be called: protected or sensitive traits and insults. As they are
 * written there, each once; empty when there are none.
 */
export function refusedNameWords(name: string): string[] {
  const written = partsOf(name);
  const folded = written.map(fold);
  const refused = written.filter((_, i) => {
    const word = folded[i]!;
    const next = folded[i + 1] ?? '';
    if (HARMLESS.has(`${word} ${next}`) || HARMLESS.has(`${folded[i - 1]} ${word}`)) return false;
    return REFUSED.has(word) || (OF_PEOPLE.has(word) && PEOPLE.has(next));
  });
  return [...new Set(refused)];
}

const RANKS = new Set([
  ...[
    'top',
    'best',
    'worst',
    'highest',
    'lowest',
    'biggest',
    'largest',
    'smallest',
    'most',
    'least',
    'ranked',
  ],
  ...['quartile', 'quintile', 'decile', 'percentile', 'quartil', 'quintil', 'dezil', 'perzentil'],
  ...inflected(
    words('beste schlechteste höchste niedrigste größte kleinste meiste wenigste stärkste schwächste'),
    ['', 'n', 'r', 's'],
  ),
]);
const NO_RANKS = new Set(['best seller', 'best sellers', 'most weeks', 'most months']);

/**
 * The words of a name that rank customers: with every customer who comes or goes another one may be the top.
 * As they are written there, each once.
 */
export function rankNameWords(name: string): string[] {
  const written = partsOf(name);
  const folded = written.map(fold);
  const ranks = written.filter((_, i) => {
    if (NO_RANKS.has(`${folded[i]} ${folded[i + 1] ?? ''}`)) return false;
    return RANKS.has(folded[i]!) || /^top\d+$/.test(folded[i]!);
  });
  return [...new Set(ranks)];
}

/** Whether a text has neither words that no customer should be called nor such as rank them. */
export function maySayOfCustomers(text: string): boolean {
  return refusedNameWords(text).length === 0 && rankNameWords(text).length === 0;
}

/** `Women’s-fashion buyers` -> Women, fashion, buyers: a word does not hide behind a hyphen or an ending. */
function partsOf(name: string): string[] {
  const bare = name.normalize('NFC').replace(/['’]s(?![\p{L}\p{N}])/gu, '');
  return bare.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** One spelling for `Ausländer`, `AUSLAENDER` and `Scheiß`, `scheiss`; other accents go. */
function fold(word: string): string {
  return word
    .toLowerCase()
    .replace(/ä/g, 'ae')
    .replace(/ö/g, 'oe')
    .replace(/ü/g, 'ue')
    .replace(/ß/g, 'ss')
    .normalize('NFD')
    .replace(/\p{M}/gu, '');
}

function inflected(stems: Iterable<string>, endings: readonly string[]): string[] {
  return [...stems].flatMap((stem) => endings.map((ending) => stem + ending));
}

function words(text: string): Set<string> {
  return new Set(text.split(/\s+/).filter(Boolean).map(fold));
}
