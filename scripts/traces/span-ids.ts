import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace-node';

/** Ids by chance, but for a span whose id is known before it is told. */
export class SpanIds implements IdGenerator {
  readonly #chance = new RandomIdGenerator();
  #given: { traceId: string; spanId: string } | null = null;

  /** The span that `make` starts has these. */
  using<R>(given: { traceId: string; spanId: string }, make: () => R): R {
    this.#given = given;
    try {
      return make();
    } finally {
      this.#given = null;
    }
  }

  generateTraceId = (): string => this.#given?.traceId ?? this.#chance.generateTraceId();
  generateSpanId = (): string => this.#given?.spanId ?? this.#chance.generateSpanId();
}
