/**
 * Accounts that probes make, where that was allowed or a server makes one unasked, and that are deactivated at the end: their names are made up, and
 * nobody else has their passwords.
 *
 * @see Client-Server API v1.19, `POST /register`, `POST /account/deactivate`, "User-Interactive Authentication API"
 */
import type { Chance } from '../chance.js';
import { urlOf } from '../client/open.js';
import type { HttpClient } from '../http/client.js';
import { jsonTextOf, member, parseJson, stringMember, type JsonNode } from '../wire/json.js';
import { parseMatrixError } from '../wire/matrix-error.js';

export interface RegistrarOptions {
  readonly http: HttpClient;
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  readonly chance: Pick<Chance, 'bytes'>;
}

/** What a homeserver answered. */
export interface Told {
  readonly status: number;
  readonly errcode: string | undefined;
  /** Undefined when the body is no JSON. */
  readonly body: JsonNode | undefined;
}

/** An account that a probe made. */
export interface MadeAccount {
  /** As the server gave it. */
  readonly userId: string;
  readonly password: string;
  readonly accessToken: string;
}

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #made: MadeAccount[] = [];
  /** What was asked for without hearing whether there is an account now. */
  #unheard: Credentials[] = [];

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** A name that nobody has. */
  madeUpName(): string {
    return `mx2s-check-${hex(this.#options.chance.bytes(NAME_BYTES))}`;
  }

  /**
   * Registers `username`, as far as that takes no more than `m.login.dummy`.
   * @throws NetworkError, RateLimitedError, the signal's reason
   */
  register(username: string, signal: AbortSignal): Promise<MadeAccount | Told> {
    return this.#register(username, (question) =>
      this.#confirmed({ ...question, auth: { type: DUMMY } }, signal),
    );
  }

  /**
   * Asks for `username` as anybody does first, and confirms nothing: no account should come of it.
   * @throws NetworkError, RateLimitedError, the signal's reason
   */
  registerUnconfirmed(username: string, signal: AbortSignal): Promise<MadeAccount | Told> {
    return this.#register(username, (question) => this.#post(question, signal));
  }

  async #register(username: string, ask: (question: Question) => Promise<Told>): Promise<MadeAccount | Told> {
    const asked = { user: username, password: hex(this.#options.chance.bytes(PASSWORD_BYTES)) };
    const body = { username, password: asked.password };
    this.#unheard.push(asked);
    const told = await ask({ path: '/v3/register', body });
    const account = accountOf(told, asked);
    if (account !== undefined) this.#made.push(account);
    if (account !== undefined || isRefusal(told)) {
      this.#unheard = this.#unheard.filter((each) => each !== asked);
    }
    return account ?? told;
  }

  /**
   * Logs an account in and wishes for a device, or for none.
   * @throws NetworkError, RateLimitedError, the signal's reason
   */
  login({ userId, password }: MadeAccount, deviceId: string | undefined, signal: AbortSignal): Promise<Told> {
    return this.#login({ user: userId, password }, deviceId, signal);
  }

  /**
   * Deactivates every account that was made, and gives the user IDs of those where that failed; and the names, quoted,
   * that were asked for without hearing of it, where nobody knows what came of it.
   */
  async close(signal: AbortSignal): Promise<readonly string[]> {
    const left: string[] = [];
    for (const asked of this.#unheard.splice(0)) {
      const told = await this.#login(asked, undefined, signal).catch(() => undefined);
      const account = told && accountOf(told, asked);
      if (account !== undefined) this.#made.push(account);
      // a name that the homeserver has made up is nobody's to log in with
      else if (asked.user === '' || told?.status !== NO_SUCH_ACCOUNT) left.push(JSON.stringify(asked.user));
    }
    for (const { userId, password, accessToken } of this.#made.splice(0)) {
      const auth = { type: PASSWORD, identifier: { type: 'm.id.user', user: userId }, password };
      const told = await this.#confirmed(
        { path: '/v3/account/deactivate', body: {}, auth, accessToken },
        signal,
      ).catch(() => undefined);
      if (told?.status !== 200) left.push(userId);
    }
    return left;
  }

  #login({ user, password }: Credentials, deviceId: string | undefined, signal: AbortSignal): Promise<Told> {
    const identifier = { type: 'm.id.user', user };
    const body = { type: PASSWORD, identifier, password, device_id: deviceId };
    return this.#post({ path: '/v3/login', body }, signal);
  }

  /** Confirms at once, and again if the server wants its session named. */
  async #confirmed({ auth, ...question }: Question & { auth: object }, signal: AbortSignal): Promise<Told> {
    const first = await this.#post({ ...question, body: { ...question.body, auth } }, signal);
    const session = stringMember(first.body, 'session');
    if (first.status !== 401 || session === undefined) return first;
    return this.#post({ ...question, body: { ...question.body, auth: { ...auth, session } } }, signal);
  }

  async #post({ path, body, accessToken }: Question, signal: AbortSignal): Promise<Told> {
    const { http, homeserver } = this.#options;
    const answer = await http.send(
      {
        method: 'POST',
        url: urlOf(homeserver, { path }),
        body: jsonTextOf(body),
        accessToken,
        retry: 'unsent',
      },
      signal,
    );
    return {
      status: answer.status,
      errcode: parseMatrixError(answer.body).errcode,
      body: parseOrUndefined(answer.body),
    };
  }
}

/** The account of a 200 to a registration or a login; undefined when it tells of none. */
function accountOf({ status, body }: Told, { password }: Credentials): MadeAccount | undefined {
  const userId = stringMember(body, 'user_id');
  const accessToken = stringMember(body, 'access_token');
  if (status !== 200 || userId === undefined || accessToken === undefined) return undefined;
  return { userId, password, accessToken };
}

/** Does the answer say that nothing was done? */
function isRefusal({ status }: Told): boolean {
  return status >= 400 && status < 500;
}

interface Credentials {
  /** A localpart or a user ID. */
  readonly user: string;
  readonly password: string;
}

interface Question {
  readonly path: string;
  readonly body: object;
  readonly accessToken?: string | undefined;
}

/** The stages of the flows that the server offers in place of a success: `m.login.recaptcha, m.login.dummy`. */
export function stagesOf({ body }: Told): readonly string[] {
  const flows = member(body, 'flows');
  if (flows?.kind !== 'array') return [];
  const stages = flows.items.flatMap((flow) => {
    const list = member(flow, 'stages');
    return list?.kind === 'array' ? list.items : [];
  });
  return [...new Set(stages.flatMap((stage) => (stage.kind === 'string' ? [stage.value] : [])))];
}

function parseOrUndefined(text: string): JsonNode | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined; // a page of a proxy, say
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const DUMMY = 'm.login.dummy';
const PASSWORD = 'm.login.password';
/** The status of a login with a name or a password that is not good. */
const NO_SUCH_ACCOUNT = 403;
const NAME_BYTES = 8;
const PASSWORD_BYTES = 24;
