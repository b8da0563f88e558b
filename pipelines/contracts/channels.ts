import { z } from 'zod';

// Where messages of the outbox go. An address that may hold a secret comes from the worker's environment.

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'needs the name of a variable such as SHOP_WEBHOOK');
/** No spaces or line breaks: it becomes a header. */
const address = z.string().regex(/^[^\s<>@,;]+@[^\s<>@,;]+$/, 'needs an address such as crm@example.com');

const common = {
  /** What rules of `alerts` call it; absent: its kind. */
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,39}$/,
      'needs lower-case letters, digits and dashes, at most 40, a letter first',
    )
    .optional(),
  /** What it is told; absent: both. */
  tells: z
    .array(z.enum(['publications', 'alerts']))
    .min(1)
    .optional(),
};

export const channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('log'), ...common }),
  /** JSON to any receiver. */
  z.strictObject({ kind: z.literal('webhook'), ...common, urlFrom: variable }),
  /** An incoming webhook of Slack, or of what takes the same (Mattermost, Rocket.Chat). */
  z.strictObject({ kind: z.literal('slack'), ...common, urlFrom: variable }),
  /** Text over SMTP; the variable holds `smtps://user:password@host:465` or `smtp://host:587`. */
  z.strictObject({
    kind: z.literal('email'),
    ...common,
    smtpFrom: variable,
    from: address,
    to: z.array(address).min(1).max(50),
  }),
]);

export type Channel = z.infer<typeof channel>;

/** Whether a channel wants what there is to tell. */
export function takes({ tells }: Pick<Channel, 'tells'>, what: 'publications' | 'alerts'): boolean {
  return tells === undefined || tells.includes(what);
}

/** Until when its messages wait, where the quiet hours last until then: nobody is woken by a line in a log. */
export function waitsUntil({ kind }: Channel, quietUntil: string | null): string | null {
  return kind === 'log' ? null : quietUntil;
}
