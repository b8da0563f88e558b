/** The time of the workflow task, in milliseconds: Temporal puts it in place of the clock, and a replay reads the same. */
export function nowMs(): number {
  return Date.now();
}
