import { createHash } from 'node:crypto';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

/**
 * Canonical JSON: keys sorted by code unit, numbers as JavaScript prints them, no spaces, a newline at
 * the end. Equal values give equal bytes, so a digest of them is a digest of the value.
 *
 * @throws RangeError for what JSON cannot hold (NaN, an infinity, a bigint, a typed array, a function),
 *   naming where it stands; a key whose value is undefined is left out
 *
 * Source: RFC 8785 (JSON Canonicalization Scheme), but for the newline.
 */
export function encodeJson(value: unknown): Buffer {
  return Buffer.from(`${canonical(value, '$')}\n`, 'utf8');
}

/** @throws PipelineError ARTIFACT_CORRUPT when the bytes are not JSON */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw new PipelineError(
      'ARTIFACT_CORRUPT',
      `artifact needs to be JSON, ${bytes.byteLength} bytes found that are not`,
      { bytes: bytes.byteLength },
      { cause },
    );
  }
}

/** SHA-256 of the value's canonical JSON, 64 hexadecimal digits. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(encodeJson(value)).digest('hex');
}

function canonical(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new RangeError(`canonical JSON needs finite numbers, found ${value} at ${path}`);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, i) => canonical(item, `${path}[${i}]`)).join(',')}]`;
  }
  if (isPlainObject(value)) return canonicalObject(value, path);
  throw new RangeError(`canonical JSON needs plain values, found ${kindOf(value)} at ${path}`);
}

function canonicalObject(value: Record<string, unknown>, path: string): string {
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key], `${path}.${key}`)}`);
  return `{${members.join(',')}}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  return typeof value === 'object' ? (value?.constructor?.name ?? 'object') : typeof value;
}
