import { InvalidArgumentError } from 'commander';
import { ROLES, type Role } from '../../pipelines/init/role-words.ts';

/** What a column with the role says. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  customer: 'whose the row is',
  time: 'when it was ordered',
  order: 'which order the row belongs to',
  quantity: 'how many pieces were bought',
  price: 'the price of one piece',
  amount: 'the money of the row',
  discount: 'the money taken off',
  category: 'what kind of thing was bought',
  channel: 'the way it was sold',
  country: 'the country of the customer',
  'line-id': 'what names the row',
  'loaded-at': 'when the row was loaded',
};

/** What flags say. */
export interface Given {
  /** Null: none. */
  roles: Readonly<Partial<Record<Role, string | null>>>;
  timezone?: string;
  currency?: string;
  times: readonly string[];
  isYes: boolean;
}

export function timeZone(text: string): string {
  const zone = zoneOf(text);
  if (zone === null) throw new InvalidArgumentError('needs an IANA time zone such as Europe/London.');
  return zone;
}

/** As IANA spells it; null: there is no such zone. */
export function zoneOf(text: string): string | null {
  // `+01:00` is a zone for JavaScript, and none with summer time.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text)) return null;
  try {
    const known = Intl.supportedValuesOf('timeZone').find(
      (zone) => zone.toLowerCase() === text.toLowerCase(),
    );
    return known ?? (new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone && text);
  } catch {
    return null;
  }
}

export function currencyCode(text: string): string {
  const code = text.toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) throw new InvalidArgumentError('needs an ISO 4217 code such as GBP.');
  return code;
}

export function pipelineName(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(text))
    throw new InvalidArgumentError(
      'needs lower-case letters, digits and dashes, at most 40, a letter first.',
    );
  return text;
}

export function ownerName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('needs a name, or leave the option out.');
  return text.trim();
}

/** Name of a pipeline, made of a file's. */
export function nameOf(file: string): string {
  const plain = file
    .replace(/\.(csv|parquet|tsv|txt)(\.[a-z0-9]+)?$/i, '')
    .normalize('NFD')
    .toLowerCase()
    .replace(/\p{Mn}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const named = /^[a-z]/.test(plain) ? plain : `pipeline-${plain}`;
  return named.slice(0, 36).replace(/-+$/, '');
}

export function titleOf(name: string): string {
  const words = name.split('-').filter(Boolean).join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `--customer none`: no column has the role. */
export function rolesOf(options: Readonly<Record<string, unknown>>): Given['roles'] {
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const key = role.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      const value = options[key];
      return typeof value === 'string' ? [[role, value.toLowerCase() === 'none' ? null : value]] : [];
    }),
  );
}
