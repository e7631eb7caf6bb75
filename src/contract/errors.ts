import { Type } from 'typebox';

/** Every error code that a service may answer with, and its HTTP status. Codes are stable: clients switch on them. */
export const ERROR_STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  ticket_refused: 403,
  approval_needed: 403,
  not_found: 404,
  conflict: 409,
  wrong_state: 409,
  too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  limit_reached: 429,
  internal: 500,
  upstream_failed: 502,
  unavailable: 503,
  storage_full: 507,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What every failed request answers with. */
export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'stable, for programs' }),
    message: Type.String({ description: 'for people: what failed and what to do' }),
    details: Type.Unknown(),
    request_id: Type.String(),
    timestamp: Type.String({ format: 'date-time' }),
    service: Type.String(),
  }),
});

/** A failure that may be told to the caller as it is. Anything else that a handler throws is answered as `internal`. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details: unknown = null) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }
}
