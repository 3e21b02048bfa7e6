/**
 * A request that is answered with an error (Client-Server API v1.19, "Standard error response"). Thrown anywhere
 * below a route; `app.ts` makes the answer of it.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly errcode: string | undefined;
  /** More members of the body, such as `soft_logout`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    errcode: string | undefined,
    message: string,
    more: { readonly fields?: Record<string, unknown>; readonly headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.errcode = errcode;
    this.fields = more.fields ?? {};
    this.headers = more.headers ?? {};
  }
}

/** The body of an error answer: `{errcode?,error,…}`. */
export function encodeRefusal({ errcode, message, fields }: Refusal): string {
  return JSON.stringify({ errcode, error: message, ...fields });
}

/** 400 `M_BAD_JSON`: JSON, but not what the endpoint takes. */
export function badJson(message: string): Refusal {
  return new Refusal(400, 'M_BAD_JSON', message);
}

/** 400 `M_INVALID_PARAM`. */
export function invalidParam(message: string): Refusal {
  return new Refusal(400, 'M_INVALID_PARAM', message);
}

/** 400 `M_MISSING_PARAM`. */
export function missingParam(name: string): Refusal {
  return new Refusal(400, 'M_MISSING_PARAM', `${name} is missing`);
}

/** 403 `M_FORBIDDEN`. */
export function forbidden(message: string): Refusal {
  return new Refusal(403, 'M_FORBIDDEN', message);
}

/** 404 `M_NOT_FOUND`. */
export function notFound(message: string): Refusal {
  return new Refusal(404, 'M_NOT_FOUND', message);
}

/** 429 `M_LIMIT_EXCEEDED`; `Retry-After` counts whole seconds. */
export function limitExceeded(message: string, retryAfterMs: number): Refusal {
  return new Refusal(429, 'M_LIMIT_EXCEEDED', message, {
    fields: { retry_after_ms: retryAfterMs },
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
  });
}
