import { z } from 'zod';

// What the inbox of a pipeline waits for. A definition without the section has an inbox, too: each message is enough.

const inputName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'needs lower-case letters, digits, dashes and underscores, at most 40');

export const inboxSettings = z
  .strictObject({
    /** What has to land before there is a run, such as `orders`; none: any landing is enough. */
    inputs: z
      .array(inputName)
      .max(20)
      .refine((names) => new Set(names).size === names.length, { error: 'needs names that differ' })
      .default([]),
    /** The input that is the source's transactions: its messages may name a file to read in place of the definition's. */
    extract: inputName.optional(),
    /** After the first input of a run it starts without those that are missing; null: it waits for ever. */
    deadlineMinutes: z.number().positive().max(43_200).nullable().default(1_440),
    /** Once all is there a run waits so long for more messages that ask for the same. */
    settleSeconds: z.number().min(0).max(86_400).default(10),
    /** What a landing is answered with, and a request that does not say. */
    run: z.enum(['refit', 'assign']).default('refit'),
  })
  .refine(({ inputs, extract }) => extract === undefined || inputs.includes(extract), {
    error: 'needs one of inputs',
    path: ['extract'],
  });

export type InboxSettings = z.infer<typeof inboxSettings>;

/** Of a definition without the section. */
export const DEFAULT_INBOX: InboxSettings = inboxSettings.parse({});
