// What stands in place of a payload that cannot be handed on. Whoever is handed it refuses it with the reason.

const FIELD = 'unreadable';

export function unreadable(found: string): Record<string, string> {
  return { [FIELD]: found };
}

/** What was found in place of an object; null: the payload was read. */
export function unreadableIn(sent: unknown): string | null {
  if (sent === null || typeof sent !== 'object' || Array.isArray(sent)) return null;
  const found: unknown = Reflect.get(sent, FIELD);
  return typeof found === 'string' && Object.keys(sent).length === 1 ? found.slice(0, 100) : null;
}
