// The client's own pauses are of a length by chance, and after seven requests that failed it retries none until others
// succeed: how long a server may be away would be luck. These are the same for every request.

/** Together two seconds. Activities are retried beyond. */
export const PAUSES_MS = [100, 200, 400, 600, 700] as const;
/** A server that says when to come again is heard so far. */
const LONGEST_HINT_MS = 5_000;

/** Of one request: the client waits for the delay, unless the request's signal ends it. */
interface Token {
  getRetryCount(): number;
  getRetryDelay(): number;
}

/** Repeats what failed on the way, or met a busy server; the time for all attempts and a cancel end it at once. */
export const steadyRetries = {
  acquireInitialRetryToken: async () => tokenOf(0, 0),

  async refreshRetryTokenForRetry(
    token: Token,
    { errorType, retryAfterHint }: { errorType: string; retryAfterHint?: Date },
  ): Promise<Token> {
    const count = token.getRetryCount();
    const pauseMs = PAUSES_MS[count];
    const isPassing = errorType === 'TRANSIENT' || errorType === 'THROTTLING';
    // Heard by the client alone, which throws what the request met.
    if (pauseMs === undefined || !isPassing) throw new RangeError('no more attempts');
    // Many that were too fast together must not come back together.
    const spreadMs = errorType === 'THROTTLING' ? pauseMs * (1 + Math.random()) : 0;
    const hintMs = Math.min((retryAfterHint?.getTime() ?? 0) - Date.now(), LONGEST_HINT_MS);
    return tokenOf(count + 1, Math.max(pauseMs + spreadMs, hintMs));
  },

  recordSuccess: () => undefined,
};

function tokenOf(count: number, delayMs: number): Token {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs };
}
