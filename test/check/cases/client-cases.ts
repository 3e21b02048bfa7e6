/** Homeservers that break one rule each, as a client sees it, and what the probes say of them. */
import { SERVER_USER } from '../../server/kit.js';
import { ok, type Twist } from '../twisted-server.js';
import { REFUSED, answering, delaying, doubling, late, losing, sending, serverDevices } from '../twists.js';

export interface ClientCase {
  /** "A server that …". */
  readonly does: string;
  readonly twist: Twist;
  /** The requirements that are looked at. */
  readonly at: readonly string[];
  /** What the probes find, but for those that pass: `R-9 its own @:d: fail`. */
  readonly blames: readonly string[];
}

export const CLIENT_CASES: readonly ClientCase[] = [
  {
    does: 'refuses messages to the server',
    twist: sending((messages) => (SERVER_USER in messages ? REFUSED : messages), /hello|unknown/),
    at: ['R-9', 'R-19'],
    blames: ['R-9 its own @:d: fail', 'R-19 an event type: fail'],
  },
  {
    does: 'refuses messages to the server, whatever their type',
    twist: sending((messages) => (SERVER_USER in messages ? REFUSED : messages)),
    at: ['R-9', 'R-19'],
    blames: ['R-9 its own @:d: fail', 'R-19 an event type: inconclusive'],
  },
  {
    does: 'takes no message of this account',
    twist: sending(() => REFUSED),
    at: ['R-9', 'R-19'],
    blames: ['R-9 its own @:d: inconclusive', 'R-19 an event type: inconclusive'],
  },
  {
    does: 'takes no message of this account to itself',
    twist: sending((messages) => ('@alice:hs.test' in messages ? REFUSED : messages)),
    at: ['R-13'],
    blames: ['R-13 a user: inconclusive'],
  },
  {
    does: 'drops what is for * of the server',
    twist: sending((messages) => ('*' in serverDevices(messages) ? undefined : messages)),
    at: ['R-10'],
    blames: ['R-10 its own @:d: fail'],
  },
  {
    does: 'loses the first message to * of the server',
    twist: losing(({ '*': all }) => all !== undefined),
    at: ['R-10'],
    blames: [],
  },
  {
    does: 'is late with what is for * of the server',
    twist: delaying(({ '*': all }) => all !== undefined),
    at: ['R-10'],
    blames: [],
  },
  {
    does: 'refuses what is for * of the server',
    twist: sending((messages) => ('*' in serverDevices(messages) ? REFUSED : messages)),
    at: ['R-10'],
    blames: ['R-10 its own @:d: fail'],
  },
  {
    does: 'lists a device of the server',
    twist: answering(/keys\/query/, () => JSON.stringify({ device_keys: { [SERVER_USER]: { '': {} } } })),
    at: ['R-11'],
    blames: ['R-11 keys: fail'],
  },
  {
    does: 'gives this account no keys',
    twist: answering(/keys\/query/, () => ok({ errcode: 'M_FORBIDDEN' }, 403)),
    at: ['R-11'],
    blames: ['R-11 keys: inconclusive'],
  },
  {
    does: 'has no keys at all',
    twist: answering(/keys\/query/, () => ok({ errcode: 'M_UNRECOGNIZED' }, 404)),
    at: ['R-11'],
    blames: ['R-11 keys: inconclusive'],
  },
  {
    does: 'lets * win over ""',
    twist: sending((messages) => {
      const { '*': all } = serverDevices(messages);
      return all === undefined ? messages : { [SERVER_USER]: { '': all } };
    }),
    at: ['R-12'],
    blames: ['R-12 its own @:d: fail'],
  },
  {
    does: 'takes any device of the server for ""',
    twist: sending((messages) => {
      const [content] = Object.values(serverDevices(messages));
      return content === undefined ? messages : { [SERVER_USER]: { '': content } };
    }),
    at: ['R-13'],
    blames: ['R-13 @:d: fail'],
  },
  {
    does: 'refuses devices that the server has not',
    twist: sending((messages) => ('MX2SCHECK' in serverDevices(messages) ? REFUSED : messages)),
    at: ['R-13'],
    blames: ['R-13 @:d: fail'],
  },
  {
    does: 'takes "" of a user for all devices',
    twist: sending((messages) => {
      const [[userId = '', devices = {}] = []] = Object.entries(messages);
      return userId === SERVER_USER || !('' in devices) ? messages : { [userId]: { '*': devices[''] ?? {} } };
    }),
    at: ['R-13'],
    blames: ['R-13 a user: fail'],
  },
  {
    does: 'refuses "" of a user',
    twist: sending((messages) => ('' in (messages['@alice:hs.test'] ?? {}) ? REFUSED : messages)),
    at: ['R-13'],
    blames: ['R-13 a user: fail'],
  },
  {
    does: 'forgets transaction IDs',
    twist: async (request, pass) =>
      pass({ ...request, url: request.url.replace(/(sendToDevice\/[^/]+\/).*/, `$1${crypto.randomUUID()}`) }),
    at: ['R-15'],
    blames: ['R-15 a user: fail', 'R-15 @:d: fail'],
  },
  {
    does: 'loses the messages that are sent twice',
    twist: sending((messages) => (/run-0000[14]/.test(JSON.stringify(messages)) ? undefined : messages)),
    at: ['R-15'],
    blames: ['R-15 a user: inconclusive', 'R-15 @:d: inconclusive'],
  },
  {
    does: 'answers each message with two',
    twist: doubling(({ sender }) => sender === SERVER_USER),
    at: ['R-12', 'R-15'],
    blames: [],
  },
  {
    does: 'delivers each event twice',
    twist: doubling(() => true),
    at: ['R-12', 'R-15'],
    blames: [],
  },
  {
    does: 'registers "" where it is not confirmed',
    twist: answering(/register/, (_text, { body = '{}' }) =>
      'auth' in (JSON.parse(body) as object) ? REFUSED : ok({ user_id: SERVER_USER }),
    ),
    at: ['R-20'],
    blames: [
      'R-20 POST /register: fail',
      'R-20 GET /register/available: fail, reading',
      'R-20 any other name: skipped',
    ],
  },
  {
    does: 'registers "" where it is confirmed',
    twist: answering(/register$/, (_text, { body = '{}' }) =>
      'auth' in (JSON.parse(body) as object)
        ? ok({ user_id: SERVER_USER, access_token: 't', device_id: 'D' })
        : ok({ flows: [{ stages: ['m.login.dummy'] }], session: 's' }, 401),
    ),
    at: ['R-20'],
    blames: ['R-20 POST /register: skipped', 'R-20 POST /register with a confirmation: fail'],
  },
  {
    does: 'takes "" for no name',
    twist: async (request, pass) =>
      request.path.endsWith('/register')
        ? pass({ ...request, body: (request.body ?? '').replace('"username":"",', '') })
        : pass(),
    at: ['R-20'],
    blames: ['R-20 POST /register: skipped'],
  },
  {
    does: 'fails when somebody registers',
    twist: answering(/register$/, () => ok({ errcode: 'M_UNKNOWN' }, 500)),
    at: ['R-20'],
    blames: [
      'R-20 POST /register: inconclusive',
      'R-20 POST /register with a confirmation: inconclusive',
      'R-20 any other name: skipped',
    ],
  },
  {
    does: 'registers nobody',
    twist: answering(/register/, () => ok({ errcode: 'M_FORBIDDEN' }, 403)),
    at: ['R-20', 'R-24'],
    blames: [
      'R-20 POST /register: skipped',
      'R-20 GET /register/available: skipped',
      'R-20 POST /register with a confirmation: skipped',
      'R-20 any other name: skipped',
      'R-24: skipped',
    ],
  },
  {
    does: 'wants more than a dummy',
    twist: answering(/register$/, () =>
      ok({ flows: [{ stages: ['m.login.recaptcha'] }], session: 's' }, 401),
    ),
    at: ['R-20', 'R-24'],
    blames: [
      'R-20 POST /register: skipped',
      'R-20 POST /register with a confirmation: skipped',
      'R-20 any other name: skipped',
      'R-24: skipped',
    ],
  },
  {
    does: 'refuses "" with another code',
    twist: answering(/register/, (text) => text.replace('M_INVALID_USERNAME', 'M_UNKNOWN')),
    at: ['R-20'],
    blames: [],
  },
  {
    does: 'refuses every name with another code',
    twist: answering(/register/, () => ok({ errcode: 'M_UNKNOWN' }, 400)),
    at: ['R-20'],
    blames: [
      'R-20 POST /register: skipped',
      'R-20 GET /register/available: skipped',
      'R-20 POST /register with a confirmation: skipped',
      'R-20 any other name: skipped',
    ],
  },
  {
    does: 'logs anybody in as the server',
    twist: answering(/login/, () => ok({ user_id: SERVER_USER, access_token: 't', device_id: 'D' })),
    at: ['R-22'],
    blames: ['R-22 POST /login: fail'],
  },
  {
    does: 'lets anybody act as the server',
    twist: answering(/whoami/, (text, { url }) =>
      url.includes('user_id=') ? ok({ user_id: SERVER_USER }) : text,
    ),
    at: ['R-22'],
    blames: ['R-22 POST /login: skipped', 'R-22 GET /whoami as @:d: fail'],
  },
  {
    does: 'does not look at whom somebody wants to act as',
    twist: async (request, pass) => pass({ ...request, url: request.url.replace(/\?user_id=.*/, '') }),
    at: ['R-22', 'R-30'],
    blames: ['R-22 POST /login: skipped'],
  },
  {
    does: 'gives the server a profile and presence',
    twist: answering(/profile|presence/, (text, { path }) => (path.includes('%40%3Ahs') ? ok({}) : text)),
    at: ['R-23'],
    blames: ['R-23 profile: fail', 'R-23 presence: fail'],
  },
  {
    does: 'shows no profile and no presence to a stranger',
    twist: answering(/profile|presence/, () => ok({ errcode: 'M_FORBIDDEN' }, 403)),
    at: ['R-23'],
    blames: [],
  },
  {
    does: 'refuses what is asked about the server as it refuses nothing else',
    twist: answering(/profile|presence/, (text, { path }) =>
      path.includes('%40%3Ahs') ? ok({ errcode: 'M_FORBIDDEN' }, 403) : text,
    ),
    at: ['R-23'],
    blames: ['R-23 profile: inconclusive', 'R-23 presence: inconclusive'],
  },
  {
    does: 'gives everybody a profile and presence',
    twist: answering(/profile|presence/, () => ok({ presence: 'offline' })),
    at: ['R-23'],
    blames: [],
  },
  {
    does: 'gives the device "" to whom wishes for it',
    twist: answering(/login/, () => ok({ user_id: '@a:hs.test', access_token: 't', device_id: '' })),
    at: ['R-24'],
    blames: ['R-24: fail'],
  },
  {
    does: 'refuses a login that wishes for ""',
    twist: answering(/login/, (text, { body = '' }) => (body.includes('"device_id":""') ? REFUSED : text)),
    at: ['R-24'],
    blames: [],
  },
  {
    does: 'refuses every login',
    twist: answering(/login/, () => REFUSED),
    at: ['R-24'],
    blames: ['R-24: inconclusive'],
  },
  {
    does: 'answers as a user',
    twist: answering(/sync/, (text) =>
      text.replaceAll(`"sender":"${SERVER_USER}"`, '"sender":"@server:hs.test"'),
    ),
    at: ['R-25', 'R-26'],
    blames: ['R-25: fail', 'R-26 simplified MSC3575: fail', 'R-26 /v4/sync: fail'],
  },
  {
    does: 'adds a key to events',
    twist: answering(/sync/, (text) => text.replaceAll('{"sender"', '{"event_id":"$1","sender"')),
    at: ['R-25', 'R-26'],
    blames: ['R-25: fail, reading'],
  },
  {
    does: 'has no sliding sync',
    twist: answering(/v4\/sync|msc3575/, () => ok({ errcode: 'M_UNRECOGNIZED' }, 404)),
    at: ['R-26'],
    blames: ['R-26 simplified MSC3575: skipped', 'R-26 /v4/sync: skipped'],
  },
  {
    does: 'gives sliding sync no events',
    twist: answering(/v4\/sync|msc3575/, (text) => text.replace(/"events":\[.*\]/, '"events":[]')),
    at: ['R-26'],
    blames: ['R-26 simplified MSC3575: fail', 'R-26 /v4/sync: fail'],
  },
  {
    does: 'writes the members of what sliding sync gives in another order',
    twist: answering(/v4\/sync|msc3575/, (text) =>
      text.replace(/"content":(\{[^{}]*\})/g, (_all, content: string) => {
        const members = Object.entries(JSON.parse(content) as object);
        return `"content": ${JSON.stringify(Object.fromEntries(members.reverse()))}`;
      }),
    ),
    at: ['R-26'],
    blames: [],
  },
  {
    does: 'gives sliding sync its events a little later',
    twist: late(/v4\/sync|msc3575/),
    at: ['R-26'],
    blames: [],
  },
  {
    does: 'takes no acknowledgement',
    twist: async (request, pass) =>
      pass({
        ...request,
        url: request.url.replace(/&since=[^&]*/, ''),
        body: request.body?.replace(/,"since":"[^"]*"/, ''),
      }),
    at: ['R-26', 'R-29'],
    blames: ['R-26 simplified MSC3575: fail, reading', 'R-26 /v4/sync: fail, reading', 'R-29: fail'],
  },
  {
    does: 'gives the newest event first',
    twist: answering(/v3\/sync/, (text) => {
      const body = JSON.parse(text) as { to_device?: { events: unknown[] } };
      body.to_device?.events.reverse();
      return JSON.stringify(body);
    }),
    at: ['R-29'],
    blames: ['R-29: fail'],
  },
  {
    does: 'believes what a request says of its sender',
    twist: answering(/v3\/sync/, (text) =>
      text.replace(/"sender":"@alice:hs.test"(,[^{]*\{[^}]*"sender":)/, `"sender":"${SERVER_USER}"$1`),
    ),
    at: ['R-30'],
    blames: ['R-30: fail'],
  },
  {
    does: 'refuses what its handler cannot use',
    twist: sending((messages) => ('odd' in (serverDevices(messages)[''] ?? {}) ? REFUSED : messages)),
    at: ['R-33'],
    blames: ['R-33: fail'],
  },
  {
    does: 'fails over what its handler cannot use',
    twist: sending((messages) => ('odd' in (serverDevices(messages)[''] ?? {}) ? ok({}, 500) : messages)),
    at: ['R-33'],
    blames: ['R-33: fail'],
  },
  {
    does: 'answers only the device that is named',
    twist: sending((messages) => {
      const { '': content = {} } = serverDevices(messages);
      return SERVER_USER in messages && !('device_id' in content) ? undefined : messages;
    }),
    at: ['R-35'],
    blames: ['R-35 the device that asks: fail'],
  },
  {
    does: 'loses the first message that names no device',
    twist: losing(({ '': one = {} }) => 'nonce' in one && !('device_id' in one)),
    at: ['R-35'],
    blames: [],
  },
  {
    does: 'is late with what names no device',
    twist: delaying(({ '': one = {} }) => 'nonce' in one && !('device_id' in one)),
    at: ['R-35'],
    blames: [],
  },
  {
    does: 'shows its answers to others',
    twist: sending((messages) => {
      const { '': content } = serverDevices(messages);
      return content === undefined ? messages : { ...messages, '@bob:hs.test': { '*': content } };
    }),
    at: ['R-35'],
    blames: ['R-35 another account: fail'],
  },
];
