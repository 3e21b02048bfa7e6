/**
 * The body of an error answer.
 *
 * Servers and the proxies before them also answer `{"Err":""}`, `{"message":"…"}`, HTML, plain text or
 * nothing, so whatever cannot be read is left out and nothing throws.
 *
 * @see Client-Server API v1.19, "Standard error response", "Rate limiting", "Soft logout"
 */
import { booleanMember, numberMember, parseJson, stringMember, type JsonNode } from './json.js';

export interface MatrixErrorBody {
  /** As the server spelled it. */
  readonly errcode?: string | undefined;
  /** The server's words: `error`, else `message`. Not escaped. */
  readonly error?: string | undefined;
  /** Deprecated in favour of the header `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
  /** With `M_UNKNOWN_TOKEN`: the session is kept, log in again to it. */
  readonly softLogout?: boolean | undefined;
  /** With `M_RESOURCE_LIMIT_EXCEEDED`: a URI. */
  readonly adminContact?: string | undefined;
  /** With `M_USER_LIMIT_EXCEEDED`: a URI. */
  readonly infoUri?: string | undefined;
  /** With `M_CONSENT_NOT_GIVEN`: a URI. */
  readonly consentUri?: string | undefined;
}

/** Reads what there is; `{}` for a body that is no JSON object. Never throws. */
export function parseMatrixError(body: string): MatrixErrorBody {
  const root = readObject(body);
  if (root === undefined) return {};
  return {
    errcode: filled(stringMember(root, 'errcode')),
    error: filled(stringMember(root, 'error')) ?? filled(stringMember(root, 'message')),
    retryAfterMs: duration(numberMember(root, 'retry_after_ms')),
    softLogout: booleanMember(root, 'soft_logout'),
    adminContact: filled(stringMember(root, 'admin_contact')),
    infoUri: filled(stringMember(root, 'info_uri')),
    consentUri: filled(stringMember(root, 'consent_uri')),
  };
}

function readObject(body: string): JsonNode | undefined {
  try {
    const root = parseJson(body);
    return root.kind === 'object' ? root : undefined;
  } catch {
    return undefined;
  }
}

function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function duration(ms: number | undefined): number | undefined {
  return ms !== undefined && Number.isFinite(ms) && ms >= 0 ? Math.ceil(ms) : undefined;
}
