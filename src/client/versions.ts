import { member, type JsonNode } from '../wire/json.js';
import { malformedAnswer, parseAnswer } from './answer.js';
import type { ApiCall, ClientApi } from './api.js';

export interface Versions {
  /** `v1.15`, `r0.6.1`, … as the homeserver lists them. */
  readonly versions: readonly string[];
  /** The unstable features that are on. MSC4246 names none, so nothing here tells whether a server has it. */
  readonly features: ReadonlySet<string>;
}

/**
 * Which versions of the specification does the homeserver speak? `{"versions": […], "unstable_features"?: {…}}`
 *
 * Features may differ from user to user, so the token is sent where there is one.
 *
 * @throws MalformedResponseError when what answers is no homeserver; MatrixError, NetworkError
 * @see Client-Server API v1.19, "GET /versions"
 */
export async function versions(
  api: ClientApi,
  how: Pick<ApiCall, 'auth' | 'retry' | 'timeoutMs'> = {},
  signal?: AbortSignal,
): Promise<Versions> {
  const answer = await api.call({ method: 'GET', path: '/versions', ...how }, signal);
  const root = parseAnswer(answer);
  const list = member(root, 'versions');
  if (list?.kind !== 'array') throw malformedAnswer(answer, 'a list of versions');
  return {
    versions: list.items.flatMap((item) => (item.kind === 'string' ? [item.value] : [])),
    features: readFeatures(member(root, 'unstable_features')),
  };
}

function readFeatures(node: JsonNode | undefined): ReadonlySet<string> {
  if (node?.kind !== 'object') return new Set();
  const on = node.members.filter(({ value }) => value.kind === 'boolean' && value.value);
  return new Set(on.map(({ key }) => key));
}
