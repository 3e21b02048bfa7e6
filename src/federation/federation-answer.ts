/** Reading what another server answered. */
import { MalformedResponseError, MatrixError } from '../errors.js';
import { printableUrl } from '../http/printable-url.js';
import type { HttpMethod, HttpResponse } from '../http/request.js';
import { parseJson, type JsonObject } from '../wire/json.js';
import { parseMatrixError } from '../wire/matrix-error.js';

/** The other server does not believe our signature. */
export class SignatureRefusedError extends MatrixError {}

/**
 * The JSON object of a 200.
 * @throws MatrixError for any other status (`SignatureRefusedError` for that of a refused signature), MalformedResponseError when it is no JSON object
 */
export function parseFederationAnswer(method: HttpMethod, answer: HttpResponse): JsonObject {
  const url = printableUrl(answer.url);
  if (answer.status !== 200) throw refusal(method, url, answer);
  let cause: unknown;
  try {
    const root = parseJson(answer.body);
    if (root.kind === 'object') return root;
  } catch (error) {
    cause = error;
  }
  throw new MalformedResponseError(
    'a JSON object',
    `${method} ${url}`,
    `${method} ${url}: the answer is not a JSON object`,
    { hint: 'is this a Matrix homeserver?', cause },
  );
}

function refusal(method: HttpMethod, url: string, { status, body }: HttpResponse): MatrixError {
  const { errcode, error } = parseMatrixError(body);
  const words = error === undefined ? '' : `: ${error.slice(0, MAX_WORDS_CHARACTERS)}`;
  const facts = { status, errcode, method, url };
  const message = `${method} ${url} was answered ${[String(status), errcode ?? ''].join(' ').trim()}${words}`;
  if (status !== 401) return new MatrixError(facts, message);
  // Dendrite gives no errcode here, but it does say why
  return errcode === undefined && error === undefined
    ? new MatrixError(facts, message, { hint: PROXY_HINT })
    : new SignatureRefusedError(facts, message, { hint: SIGNATURE_HINT });
}

const SIGNATURE_HINT =
  'the other server has to be able to fetch our key by our server name; also check both server names';
const PROXY_HINT = 'no Matrix server answers so: something in front of it may want a password';
const MAX_WORDS_CHARACTERS = 500;
