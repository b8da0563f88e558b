// The part of WebAssembly's JavaScript interface that is used here: TypeScript has it among the types of a
// browser's page only.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    // Without a member every object would pass for a module.
    private readonly compiled: true;
  }
  class Instance {
    readonly exports: Record<string, unknown>;
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
  }
  class Memory {
    readonly buffer: SharedArrayBuffer;
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    /** @returns the pages before */
    grow(pages: number): number;
  }
}
