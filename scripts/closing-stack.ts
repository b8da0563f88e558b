/** What was opened, closed in reverse order; as AsyncDisposableStack, which Node 20 does not have. */
export class ClosingStack {
  #closers: (() => unknown)[] = [];

  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes all, whatever fails on the way; then throws the first fault. Repeatable. */
  async close(): Promise<void> {
    const faults: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      await Promise.resolve(close()).catch((fault: unknown) => faults.push(fault));
    }
    if (faults.length > 0) throw faults[0];
  }
}

const LEFT_OVER_MS = 2_000;

/**
 * Ends the process once all is closed. What then still holds it, such as the native half of a worker that
 * broke, is waited for no longer than this.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LEFT_OVER_MS).unref();
}
