import { z } from 'zod';

const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'needs lower-case letters, digits and dashes, at most 40, a letter first');
const share = z.number().min(0).max(1);

const rule = z.strictObject({
  name: identifier,
  /** SQL over the canonical columns (and `is_duplicate`, `malformed`): true for a good row. */
  check: z.string().trim().min(1),
  severity: z.enum(['reject', 'warn', 'fail']).default('reject'),
  /** In words, for the report: why such a row is refused or odd. */
  reason: z.string().min(1),
  /** Of the rows that break the rule: with more of them the run is refused, or for `warn` a warning given. */
  limit: z.union([z.strictObject({ rows: z.int().min(0) }), z.strictObject({ share })]).optional(),
});

export const contractSchema = z.strictObject({
  version: z.int().min(1),
  /** Canonical columns that together name one row; later rows with the same values are duplicates. */
  unique: z.array(z.string()).min(1).optional(),
  rules: z.array(rule).min(1),
  /** Of the customers' table, over its attributes, `is_duplicate` and `malformed`. */
  customers: z.strictObject({ unique: z.array(z.string()).min(1), rules: z.array(rule) }).optional(),
  thresholds: z
    .strictObject({
      /** Share of refused rows above which the report warns, and the run is refused. */
      warnRefusedShare: share.default(0.2),
      failRefusedShare: share.default(0.5),
      minimumCustomers: z.int().min(2).default(50),
    })
    .prefault({}),
});

export type Contract = z.infer<typeof contractSchema>;
export type Rule = z.infer<typeof rule>;
