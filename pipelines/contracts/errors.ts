/**
 * The one catalogue of errors. `retry`: whether Temporal may try the activity again; `http`: what the
 * API answers; `exit`: what a command ends with. Verdicts about data are return values, not errors.
 */
export const ERRORS = {
  INPUT_INVALID: { retry: false, http: 400, exit: 1 },
  PIPELINE_UNKNOWN: { retry: false, http: 404, exit: 1 },
  DEFINITION_INVALID: { retry: false, http: 422, exit: 1 },
  EXTRACT_NOT_FOUND: { retry: false, http: 422, exit: 1 },
  EXTRACT_EMPTY: { retry: false, http: 422, exit: 1 },
  EXTRACT_UNREADABLE: { retry: false, http: 422, exit: 1 },
  EXTRACT_COLUMN_MISSING: { retry: false, http: 422, exit: 1 },
  EXTRACT_COLUMN_INVALID: { retry: false, http: 422, exit: 1 },
  SOURCE_UNREACHABLE: { retry: true, http: 503, exit: 1 },
  SOURCE_REFUSED: { retry: false, http: 422, exit: 1 },
  EXTRACT_CHANGED: { retry: true, http: 409, exit: 1 },
  AS_OF_BEFORE_DATA: { retry: false, http: 422, exit: 1 },
  AS_OF_IN_FUTURE: { retry: false, http: 422, exit: 1 },
  AS_OF_BEFORE_PUBLISHED: { retry: false, http: 409, exit: 1 },
  FEATURE_INVALID: { retry: false, http: 422, exit: 1 },
  VALUE_REFUSED: { retry: false, http: 500, exit: 1 },
  PAYLOAD_TOO_LARGE: { retry: false, http: 500, exit: 1 },
  TOO_MANY_CUSTOMERS: { retry: false, http: 413, exit: 1 },
  WAREHOUSE_FAILED: { retry: true, http: 500, exit: 1 },
  KERNEL_FAILED: { retry: true, http: 500, exit: 1 },
  ARTIFACT_MISSING: { retry: false, http: 500, exit: 1 },
  ARTIFACT_CORRUPT: { retry: false, http: 500, exit: 1 },
  ARTIFACT_DISK_FULL: { retry: true, http: 507, exit: 1 },
  ARTIFACT_UNWRITABLE: { retry: true, http: 500, exit: 1 },
  ARTIFACTS_UNREACHABLE: { retry: true, http: 503, exit: 1 },
  ARTIFACTS_REFUSED: { retry: false, http: 500, exit: 1 },
  CHAMPION_MISSING: { retry: false, http: 409, exit: 1 },
  PUBLICATION_STALE: { retry: false, http: 409, exit: 1 },
  RUN_UNKNOWN: { retry: false, http: 404, exit: 1 },
  RUN_IN_PROGRESS: { retry: false, http: 409, exit: 1 },
  RUN_ABANDONED: { retry: false, http: 409, exit: 1 },
  PAUSE_REFUSED: { retry: false, http: 409, exit: 1 },
  REVIEW_REFUSED: { retry: false, http: 409, exit: 1 },
  SEGMENT_UNKNOWN: { retry: false, http: 404, exit: 1 },
  NAME_REFUSED: { retry: false, http: 422, exit: 1 },
  NAME_TAKEN: { retry: false, http: 409, exit: 1 },
  NAME_CHANGED: { retry: false, http: 409, exit: 1 },
  DELIVERY_FAILED: { retry: true, http: 502, exit: 1 },
  DEPLOY_REFUSED: { retry: false, http: 409, exit: 1 },
  REPLAY_BROKEN: { retry: false, http: 500, exit: 1 },
  CONFIG_INVALID: { retry: false, http: 500, exit: 1 },
  CODEC_KEY_MISSING: { retry: true, http: 503, exit: 1 },
  MIGRATION_FAILED: { retry: false, http: 500, exit: 1 },
  POSTGRES_UNREACHABLE: { retry: true, http: 503, exit: 1 },
  TEMPORAL_UNREACHABLE: { retry: true, http: 503, exit: 1 },
  SEARCH_ATTRIBUTES_MISSING: { retry: false, http: 503, exit: 1 },
  WORKER_FAILED: { retry: true, http: 503, exit: 1 },
  TEMPORAL_NOT_AVAILABLE: { retry: false, http: 503, exit: 1 },
  PORT_UNAVAILABLE: { retry: false, http: 503, exit: 1 },
} as const satisfies Record<string, { retry: boolean; http: number; exit: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** What a reader may need beside the message: names and counts, never a customer id or a credential. */
export type ErrorDetails = Record<string, string | number | boolean | null>;

/**
 * An error with a code of the catalogue. The message says what was needed, what was found, which one and
 * the way out; it has no full stop and holds no customer data.
 */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Whether a text is a code of the catalogue: failures come back from Temporal as text. */
export function isErrorCode(text: string | null | undefined): text is ErrorCode {
  return text != null && Object.hasOwn(ERRORS, text);
}
