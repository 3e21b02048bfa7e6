/** Turns an error answer of a homeserver into our error, with what to do about it. */
import { MatrixError } from '../errors.js';
import { printableUrl } from '../http/printable-url.js';
import type { HttpMethod, HttpResponse } from '../http/request.js';
import { secretsOfRequest, strikeSecrets } from '../http/trace.js';
import { parseMatrixError, type MatrixErrorBody } from '../wire/matrix-error.js';

export interface RefusedCall {
  readonly method: HttpMethod;
  readonly body?: string | undefined;
  readonly accessToken?: string | undefined;
}

/**
 * The error for `answer`: status, errcode, method and URL as fields, the server's words in the message. They are
 * not escaped (who shows them does that), but a token or password that the server repeats is struck out.
 */
export function matrixErrorOf(call: RefusedCall, answer: HttpResponse): MatrixError {
  const secrets = secretsOfRequest(call);
  const struck = (text: string): string => strikeSecrets(text, secrets);
  const body = strikeBody(parseMatrixError(answer.body), struck);
  const url = struck(printableUrl(answer.url));
  const words = excerpt(body.error ?? struck(answer.body));
  const name = [String(answer.status), body.errcode].filter((part) => part !== undefined).join(' ');

  return new MatrixError(
    {
      status: answer.status,
      errcode: body.errcode,
      method: call.method,
      url,
      softLogout: body.softLogout,
      authenticated: call.accessToken !== undefined,
    },
    `${call.method} ${url} was answered ${name}${words === '' ? '' : `: ${words}`}`,
    { hint: hintFor(answer.status, body, call) },
  );
}

/** The same error with better advice, from who knows what was asked. */
export function withHint(error: MatrixError, hint: string): MatrixError {
  return new MatrixError(error, error.message, { hint, cause: error });
}

/** Does the homeserver not have the endpoint at all (Client-Server API v1.19, "Unsupported endpoints")? */
export function isUnknownEndpoint(error: unknown): error is MatrixError {
  return error instanceof MatrixError && (error.status === 404 || error.errcode === 'M_UNRECOGNIZED');
}

function strikeBody(body: MatrixErrorBody, struck: (text: string) => string): MatrixErrorBody {
  const { errcode, error, adminContact, infoUri, consentUri } = body;
  const orNone = (text: string | undefined): string | undefined => text && struck(text);
  return {
    ...body,
    errcode: orNone(errcode),
    error: orNone(error),
    adminContact: orNone(adminContact),
    infoUri: orNone(infoUri),
    consentUri: orNone(consentUri),
  };
}

function hintFor(status: number, body: MatrixErrorBody, { accessToken }: RefusedCall): string {
  switch (body.errcode) {
    case 'M_UNKNOWN_TOKEN':
      return body.softLogout === true
        ? 'the session has expired: run mx2s login again, it keeps the device'
        : TOKEN_HINT;
    case 'M_MISSING_TOKEN':
      return 'run mx2s login';
    case 'M_FORBIDDEN':
      return 'the homeserver does not let this account do that';
    case 'M_USER_LOCKED':
      return "the account is locked: ask the homeserver's administrator, nothing here was changed";
    case 'M_USER_SUSPENDED':
      return "the account is suspended: ask the homeserver's administrator";
    case 'M_USER_DEACTIVATED':
      return 'the account exists no more';
    case 'M_LIMIT_EXCEEDED':
      return 'try again later';
    case 'M_RESOURCE_LIMIT_EXCEEDED':
      return `the homeserver is full: ask its administrator${at(body.adminContact)}`;
    case 'M_USER_LIMIT_EXCEEDED':
      return `the account has reached a limit${at(body.infoUri)}`;
    case 'M_CONSENT_NOT_GIVEN':
      return `the homeserver wants its terms accepted first${at(body.consentUri)}`;
    case 'M_TOO_LARGE':
      return 'send less in one message';
    case 'M_UNRECOGNIZED':
      return 'the homeserver does not know this endpoint: is its software recent enough?';
  }
  if (status === 401 && body.errcode === undefined && accessToken !== undefined) return TOKEN_HINT;
  if (body.errcode === undefined && status === 404) return 'is this a Matrix homeserver?';
  if (body.errcode === undefined && [502, 503, 504].includes(status)) {
    return 'a proxy answered in its place: the homeserver may be down, try again later';
  }
  return status >= 500 ? 'the homeserver failed: try again later' : 'to see the whole exchange, add --trace';
}

function at(uri: string | undefined): string {
  return uri === undefined ? '' : ` (${uri})`;
}

/** The server's words on one line: the title of a page, else the beginning. */
function excerpt(text: string): string {
  // a title is near the beginning; what a stranger made long must not take us long
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text.slice(0, MAX_HEAD_CHARACTERS))?.[1];
  const line = (title ?? text).replace(/\s+/g, ' ').trim();
  return line.length <= MAX_EXCERPT_CHARACTERS ? line : `${line.slice(0, MAX_EXCERPT_CHARACTERS)}…`;
}

const TOKEN_HINT =
  'the access token is not good, or no longer: run mx2s login, or give another where this one comes from';
const MAX_EXCERPT_CHARACTERS = 500;
const MAX_HEAD_CHARACTERS = 8192;
