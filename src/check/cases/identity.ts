/** `@:d` and `""` belong to the server. */
import { parseAnswer } from '../../client/answer.js';
import type { ApiCall } from '../../client/api.js';
import { apiPath } from '../../client/api-path.js';
import type { MatrixError } from '../../errors.js';
import { jsonTextOf, stringMember } from '../../wire/json.js';
import type { Bench } from '../bench.js';
import { answered, cut, refusalOf, tellsApart } from '../judging.js';
import { fail, inconclusive, pass, skipped, type Finding, type Probe } from '../probe.js';
import { stagesOf, type MadeAccount, type Registrar, type Told } from '../registrar.js';

export const IDENTITY_PROBES: readonly Probe[] = [
  {
    requirement: 'R-20',
    part: 'POST /register',
    needs: [],
    // never confirmed, so that no account should come of it; one that does is deactivated
    run: async (bench, signal) => {
      const made = await registrarOf(bench).registerUnconfirmed('', signal);
      const userId = 'userId' in made ? made.userId : stringMember(made.body, 'user_id');
      if ('userId' in made || made.status === 200) {
        const seen = `has registered ${cut(userId ?? 'somebody')} without a confirmation`;
        return userId === bench.serverUser ? fail(seen) : inconclusive(seen);
      }
      return made.status === 401
        ? skipped('wants a confirmation before it looks at the name')
        : nameRefused(bench, made, signal);
    },
  },
  {
    requirement: 'R-20',
    part: 'GET /register/available',
    needs: [],
    run: async (bench, signal) => {
      const refusal = await refusalOfName(bench, '', signal);
      // the proposal speaks of registration, and of nothing that comes before it
      return refusal ? nameRefused(bench, refusal, signal) : fail('calls "" available', 'reading');
    },
  },
  {
    requirement: 'R-20',
    part: 'POST /register with a confirmation',
    needs: ['registration'],
    run: async (bench, signal) => {
      const made = await registrarOf(bench).register('', signal);
      if (!('userId' in made))
        return made.status === 401 ? wantsMore(made) : nameRefused(bench, made, signal);
      return made.userId === bench.serverUser
        ? fail(`has registered ${made.userId}`)
        : pass(`has registered ${cut(made.userId)} in place of ""`);
    },
  },
  {
    requirement: 'R-20',
    part: 'any other name',
    needs: ['registration'],
    run: async (bench, signal) => {
      const made = await someAccount(bench, signal);
      return 'userId' in made ? pass(`has registered ${cut(made.userId)}`) : made;
    },
  },
  {
    requirement: 'R-22',
    part: 'POST /login',
    needs: [],
    run: async (bench, signal) => {
      const identifier = { type: 'm.id.user', user: bench.serverUser };
      const body = jsonTextOf({ type: 'm.login.password', identifier, password: bench.nonce() });
      const call = { method: 'POST', path: '/v3/login', body, auth: 'none', retry: 'unsent' } as const;
      const answer = await bench.account.api.call(call, signal).catch(refusalOf);
      return answer instanceof Error
        ? skipped(`a made-up password is ${answered(answer)}, as it would be for any account`)
        : fail('took a made-up password');
    },
  },
  {
    requirement: 'R-22',
    part: 'GET /whoami as @:d',
    needs: [],
    run: async ({ account, serverUser }, signal) => {
      const call = { method: 'GET', path: '/v3/account/whoami', query: { user_id: serverUser } } as const;
      const answer = await account.api.call(call, signal).catch(refusalOf);
      if (answer instanceof Error) return pass(answered(answer));
      const userId = stringMember(parseAnswer(answer), 'user_id') ?? 'nobody';
      return userId === serverUser
        ? fail(`a user may act as ${serverUser}`)
        : pass(`who wants to act as ${serverUser} still acts as ${cut(userId)}`);
    },
  },
  {
    requirement: 'R-23',
    part: 'profile',
    needs: [],
    run: (bench, signal) => gives(bench, (userId) => apiPath`/v3/profile/${userId}`, signal),
  },
  {
    requirement: 'R-23',
    part: 'presence',
    needs: [],
    run: (bench, signal) => gives(bench, (userId) => apiPath`/v3/presence/${userId}/status`, signal),
  },
  {
    requirement: 'R-24',
    needs: ['registration'],
    run: async (bench, signal) => {
      const made = await someAccount(bench, signal);
      if (!('userId' in made)) return made;
      const told = await registrarOf(bench).login(made, '', signal);
      if (told.status !== 200) {
        const seen = `a login that wishes for "" was ${answered(told)}`;
        const { status } = await registrarOf(bench).login(made, undefined, signal);
        return status === 200 ? pass(seen) : inconclusive(`${seen}, and one without a wish ${status}`);
      }
      const deviceId = stringMember(told.body, 'device_id');
      if (deviceId === undefined)
        return inconclusive('a login that wishes for "" was answered without a device_id');
      return deviceId === ''
        ? fail('a login that wishes for "" gets it')
        : pass(`a login that wishes for "" gets ${cut(JSON.stringify(deviceId))}`);
    },
  },
];

/** The registrar, which is always there where probes are run. */
function registrarOf({ registrar }: Bench): Registrar {
  if (registrar === undefined) throw new Error('there is no registrar');
  return registrar;
}

/** An account under a name that was made up; a finding where none can be made. */
async function someAccount(bench: Bench, signal: AbortSignal): Promise<MadeAccount | Finding> {
  const registrar = registrarOf(bench);
  const made = await registrar.register(registrar.madeUpName(), signal);
  if ('userId' in made) return made;
  return made.status === 401 ? wantsMore(made) : skipped(`no account can be made: ${answered(made)}`);
}

/** A name was refused: is it this name, or any? The code is our reading (A7 of docs/evidence/ambiguities.md). */
async function nameRefused(
  bench: Bench,
  refusal: Pick<MatrixError, 'status' | 'errcode'>,
  signal: AbortSignal,
): Promise<Finding> {
  if (refusal.errcode === 'M_INVALID_USERNAME') return pass(answered(refusal));
  if (refusal.status < 400 || refusal.status >= 500) return inconclusive(answered(refusal));
  const isAny =
    [401, 403, 404].includes(refusal.status) ||
    refusal.errcode === 'M_UNRECOGNIZED' ||
    (await refusalOfName(bench, bench.nonce(), signal)) !== undefined;
  return isAny
    ? skipped(`${answered(refusal)}: it takes no name at all`)
    : pass(`${answered(refusal)}, which is not M_INVALID_USERNAME`);
}

/** Asks whether a name can be registered, which makes no account; undefined when it can. */
async function refusalOfName(
  { account }: Bench,
  username: string,
  signal: AbortSignal,
): Promise<MatrixError | undefined> {
  const path = '/v3/register/available';
  const call = { method: 'GET', path, query: { username }, auth: 'none' } as const;
  const answer = await account.api.call(call, signal).catch(refusalOf);
  return answer instanceof Error ? answer : undefined;
}

function wantsMore(told: Told): Finding {
  const stages = stagesOf(told).map(cut).join(', ');
  return skipped(`registration takes more than m.login.dummy: ${stages === '' ? answered(told) : stages}`);
}

/** Does the server tell `@:d` from anybody who does not exist? */
function gives(bench: Bench, path: (userId: string) => string, signal: AbortSignal): Promise<Finding> {
  return tellsApart(bench, async (userId) => {
    const call: ApiCall = { method: 'GET', path: path(userId) };
    const answer = await bench.account.api.call(call, signal).catch(refusalOf);
    return answer instanceof Error ? answer : answer.body;
  });
}
