import type { Limit, Operator, Severity } from './contract.ts';
import type { Fault, OdcsQuality } from './odcs.ts';

// How severe a check is and how many broken rows it allows.

const SEVERITIES: Readonly<Record<string, Severity>> = {
  error: 'reject',
  reject: 'reject',
  warning: 'warn',
  warn: 'warn',
  info: 'warn',
  critical: 'fail',
  fail: 'fail',
};

const OPERATORS: readonly Operator[] = [
  'mustBe',
  'mustNotBe',
  'mustBeGreaterThan',
  'mustBeGreaterOrEqualTo',
  'mustBeLessThan',
  'mustBeLessOrEqualTo',
  'mustBeBetween',
  'mustNotBeBetween',
];

/** @param text as the contract has it; absent: `error` */
export function severityOf(text: string | undefined, { path, faults }: Place): Severity {
  const severity = SEVERITIES[(text ?? 'error').toLowerCase()];
  if (severity === undefined)
    faults.push({ path, message: `needs one of ${Object.keys(SEVERITIES).join(', ')}` });
  return severity ?? 'reject';
}

interface Place {
  path: Fault['path'];
  faults: Fault[];
}

/** The one operator of a check; the standard asks for exactly one. */
export function operatorOf(quality: OdcsQuality, { path, faults }: Place): Operator | null {
  const given = OPERATORS.filter((operator) => quality[operator] !== undefined);
  if (given.length === 1) return given[0]!;
  const found = given.length === 0 ? '' : `, not ${given.join(' and ')}`;
  faults.push({ path, message: `needs one operator, such as mustBe: 0${found}` });
  return null;
}

/**
 * How many broken rows a check allows. None: every spelling of it (`mustBe: 0`, `mustBeLessThan: 1`) means the
 * same, and for `error` that the rows are refused without a limit on the run.
 */
export function limitOf(quality: OdcsQuality, severity: Severity, place: Place): Limit | undefined {
  const operator = operatorOf(quality, place);
  if (operator === null) return undefined;
  const isPercent = unitOf(quality, place) === 'percent';
  const most = mostOf(operator, quality[operator]!);
  const at = { ...place, path: [...place.path, operator] };
  if (most === null || most.value < 0 || (most.value === 0 && most.below)) {
    at.faults.push({
      path: at.path,
      message:
        'needs to allow no broken row, or up to so many (mustBe: 0, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween from 0): a check counts broken rows',
    });
    return undefined;
  }
  const limit = isPercent ? shareLimit(most, at) : rowLimit(most);
  const allowsNone = 'rows' in limit ? limit.rows === 0 : limit.share === 0;
  return allowsNone && severity === 'reject' ? undefined : limit;
}

interface Most {
  value: number;
  /** The value itself is too many. */
  below: boolean;
}

function mostOf(operator: Operator, value: number | readonly number[]): Most | null {
  if (operator === 'mustBeLessThan') return { value: Number(value), below: true };
  if (operator === 'mustBeLessOrEqualTo') return { value: Number(value), below: false };
  if (operator === 'mustBe' && value === 0) return { value: 0, below: false };
  if (operator === 'mustBeBetween' && Array.isArray(value) && value[0] === 0)
    return { value: value[1], below: false };
  return null;
}

function rowLimit({ value, below }: Most): Limit {
  return { rows: below ? Math.ceil(value) - 1 : Math.floor(value) };
}

function shareLimit({ value, below }: Most, { path, faults }: Place): Limit {
  if (value > 100) faults.push({ path, message: 'needs at most 100 percent' });
  return below ? { share: value / 100, below: true } : { share: value / 100 };
}

export function unitOf(quality: OdcsQuality, { path, faults }: Place): 'rows' | 'percent' {
  const { unit = 'rows' } = quality;
  if (unit === 'rows' || unit === 'percent') return unit;
  faults.push({ path: [...path, 'unit'], message: 'needs rows or percent' });
  return 'rows';
}
