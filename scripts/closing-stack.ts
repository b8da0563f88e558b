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
