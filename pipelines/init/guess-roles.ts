import type { TableFacts } from './facts.ts';
import { EVIDENCE } from './role-evidence.ts';
import { ROLES, type Role, saysOf } from './role-words.ts';

// Which column is what. Every column is scored for every role, by its name and by its values; the best pair is
// taken first, then the best of those that are left. What two columns claim nearly alike is not guessed: the person
// is asked. Nothing depends on the order of the columns.

export interface Candidate {
  column: string;
  /** -0.4 to 1. */
  score: number;
  reasons: readonly string[];
}

export interface Guess {
  role: Role;
  /** Null: no column has the role. */
  column: string | null;
  score: number;
  reasons: readonly string[];
  /** Columns that could have it too, the best first. */
  others: readonly Candidate[];
  /** Whether it may be taken without asking. */
  isSure: boolean;
  /** Named by a person, not guessed. */
  isGiven: boolean;
}

export type Guesses = Readonly<Record<Role, Guess>>;

/** Share of the name in a score; the rest is what the values say. */
const NAME_WEIGHT = 0.6;
/** Below it a column is no candidate; below the second it has to be confirmed. */
const LEAST = { candidate: 0.3, sure: 0.45 };
/** Closer than this two candidates cannot be told apart. */
const MARGIN = 0.07;
/** Without a word of a name for them these roles are anybody's guess. */
const BY_NAME_ALONE = new Set<Role>(['discount', 'category', 'channel', 'country', 'loaded-at', 'line-id']);
const LEAST_NAME = 0.35;
const MOST_OTHERS = 3;
/** Roles without which nothing can be drafted: for them the faintest candidate is worth naming. */
const NEEDED = new Set<Role>(['customer', 'time', 'amount']);
const FAINTEST = 0.04;
/** They describe, and change no customer's spend: the best guess will do, shown with what it might be instead. */
const DESCRIBING = new Set<Role>(['category', 'channel', 'country']);

/** Every role with its best column, if there is one. */
export function guessRoles(table: TableFacts, given: Partial<Record<Role, string | null>> = {}): Guesses {
  const candidates = Object.fromEntries(
    ROLES.map((role) => [role, role in given ? [] : candidatesFor(role, table)]),
  ) as Record<Role, Candidate[]>;
  const taken = new Map<string, Role>();
  for (const role of ROLES) if (given[role] != null) taken.set(given[role], role);
  const chosen = assign(candidates, taken);
  const guesses = ROLES.map((role): [Role, Guess] => {
    if (role in given) {
      const column = given[role] ?? null;
      return [
        role,
        { role, column, score: 1, reasons: ['named by a person'], others: [], isSure: true, isGiven: true },
      ];
    }
    return [role, guessOf(role, candidates[role], { chosen: chosen.get(role) ?? null, taken })];
  });
  return settleMoney(Object.fromEntries(guesses) as Record<Role, Guess>);
}

export function candidatesFor(role: Role, table: TableFacts): Candidate[] {
  return table.columns
    .flatMap((column): Candidate[] => {
      const evidence = EVIDENCE[role](column, table);
      if (evidence === null) return [];
      const { weight, word } = saysOf(column, role);
      if (BY_NAME_ALONE.has(role) && weight < LEAST_NAME) return [];
      const score = NAME_WEIGHT * weight + (1 - NAME_WEIGHT) * evidence.score;
      const reasons =
        weight >= LEAST_NAME ? [`its name says ${word}`, ...evidence.reasons] : evidence.reasons;
      return [{ column: column.name, score, reasons }];
    })
    .sort(byScore);
}

function byScore(left: Candidate, right: Candidate): number {
  return right.score - left.score || (left.column < right.column ? -1 : 1);
}

/** The best pair of role and column first; neither is given twice. */
function assign(
  candidates: Readonly<Record<Role, readonly Candidate[]>>,
  taken: Map<string, Role>,
): Map<Role, Candidate> {
  const pairs = ROLES.flatMap((role) => candidates[role].map((candidate) => ({ role, candidate })))
    .filter(({ candidate }) => candidate.score >= LEAST.candidate)
    .sort(
      (left, right) =>
        byScore(left.candidate, right.candidate) || ROLES.indexOf(left.role) - ROLES.indexOf(right.role),
    );
  const chosen = new Map<Role, Candidate>();
  for (const { role, candidate } of pairs) {
    if (chosen.has(role) || taken.has(candidate.column)) continue;
    chosen.set(role, candidate);
    taken.set(candidate.column, role);
  }
  return chosen;
}

function guessOf(
  role: Role,
  candidates: readonly Candidate[],
  { chosen, taken }: { chosen: Candidate | null; taken: ReadonlyMap<string, Role> },
): Guess {
  const others = candidates
    .filter(({ score }) => score >= (NEEDED.has(role) ? FAINTEST : LEAST.candidate / 2))
    .filter(({ column }) => (taken.get(column) ?? role) === role)
    .filter(({ column }) => column !== chosen?.column)
    .slice(0, MOST_OTHERS);
  const isGiven = false;
  if (chosen === null) return { role, column: null, score: 0, reasons: [], others, isSure: true, isGiven };
  const rival = others[0]?.score ?? Number.NEGATIVE_INFINITY;
  // The only column of times is the time, whatever it is called.
  const isOnly = role === 'time' && candidates.length === 1;
  const isSure = isOnly || (chosen.score >= LEAST.sure && chosen.score - rival >= MARGIN);
  return { role, ...chosen, others, isSure, isGiven };
}

/** Money is the amount of a line, or its pieces times its price: what is left over is of no use. */
function settleMoney(guesses: Record<Role, Guess>): Guesses {
  const { amount, quantity, price } = guesses;
  const none = (role: Role, why: string): Guess => ({
    ...guesses[role],
    column: null,
    reasons: [why],
    isSure: true,
  });
  if (amount.column !== null && quantity.column !== null && price.column !== null) {
    const isWeak = amount.score < LEAST.sure || amount.score < Math.min(quantity.score, price.score) - 0.3;
    if (isWeak && !amount.isGiven)
      return {
        ...guesses,
        amount: none('amount', `${quantity.column} × ${price.column} is the money of a line`),
      };
  }
  // A price alone may be what was paid: that is for a person to say.
  if (amount.column === null && !amount.isGiven && price.column !== null && quantity.column === null) {
    const { column, score } = price;
    const reasons = [`there is no quantity: is ${column} what was paid for the row?`];
    return {
      ...guesses,
      price: none('price', 'there is no quantity'),
      amount: { role: 'amount', column, score, reasons, others: [], isSure: false, isGiven: false },
    };
  }
  return guesses;
}

/** Roles that have to be decided by a person before anything can be drafted, with what is known of each. */
export function openQuestions(
  guesses: Guesses,
): { role: Role; candidates: readonly Candidate[]; isNeeded: boolean }[] {
  const questions = [];
  const isProduct = guesses.quantity.column !== null && guesses.price.column !== null;
  for (const role of ROLES) {
    const guess = guesses[role];
    const isNeeded = role === 'customer' || role === 'time' || (role === 'amount' && !isProduct);
    const { column, score, reasons } = guess;
    const candidates = [...(column === null ? [] : [{ column, score, reasons }]), ...guess.others];
    const isTold = guess.isSure || DESCRIBING.has(role) || (!isNeeded && candidates.length < 2);
    if (column === null ? isNeeded : !isTold) questions.push({ role, candidates, isNeeded });
  }
  return questions;
}
