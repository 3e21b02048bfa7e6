/** Reading what another server answered. */
import { MalformedResponseError, MatrixError } from '../errors.js';
import { printableUrl } from '../http/printable-url.js';
import type { HttpMethod, HttpResponse } from '../http/request.js';
import { parseJson, type JsonObject } from '../wire/json.js';
import { parseMatrixError } from '../wire/matrix-error.js';

/**
 * The JSON object of a 200.
 * @throws MatrixError for any other status, MalformedResponseError when it is no JSON object
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
  return new MatrixError(
    { status, errcode, method, url },
    `${method} ${url} was answered ${[String(status), errcode ?? ''].join(' ').trim()}${words}`,
    // Dendrite gives no errcode here, but it does say why
    { hint: status === 401 ? ((errcode ?? error) === undefined ? PROXY_HINT : SIGNATURE_HINT) : undefined },
  );
}

/** The hint of an error that says that the other server does not believe our signature. */
export const SIGNATURE_HINT =
  'the other server has to be able to fetch our key by our server name; also check both server names';
const PROXY_HINT = 'no Matrix server answers so: something in front of it may want a password';
const MAX_WORDS_CHARACTERS = 500;
