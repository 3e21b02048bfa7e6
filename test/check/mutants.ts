/**
 * Rules of MSC4246 that `serve` breaks on purpose, each in a build of its own: what `mx2s check` must not miss.
 *
 * A mutant is one place of the source, rewritten. The text that is looked for stands there exactly once, or the
 * build fails: no change of the source makes a mutant void in silence.
 */
export interface Mutant {
  /** The rule that is broken. */
  readonly requirement: string;
  /** What is the matter with it: "a server that …". */
  readonly does: string;
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Other rules that the same fault breaks; none but these may fail. */
  readonly also?: readonly string[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    requirement: 'R-9',
    does: 'refuses messages to a server',
    file: 'server/routes/client/send-to-device.ts',
    find: 'const messages = parseMessages(call.body());',
    replace: `const messages = parseMessages(call.body());
    if ([...messages.keys()].some((userId) => userId.startsWith('@:'))) throw badJson('that is no user');`,
    also: ['R-10', 'R-12', 'R-13', 'R-14'],
  },
  {
    requirement: 'R-10',
    does: 'sends the device * of a server on as it is',
    file: 'todevice/split.ts',
    find: 'new Map([[SERVER_DEVICE_ID, content]])',
    replace: 'new Map([[contents.has(SERVER_DEVICE_ID) ? SERVER_DEVICE_ID : WILDCARD_DEVICE, content]])',
    also: ['R-17'],
  },
  {
    requirement: 'R-11',
    does: 'gives the server a device list',
    file: 'server/routes/client/keys.ts',
    find: 'return encodeMembers(found);',
    replace: `if (userId === home.serverUser) found.push(['', jsonTextOf({ user_id: userId, device_id: '', algorithms: [], keys: {}, signatures: {} })]);
  return encodeMembers(found);`,
  },
  {
    requirement: 'R-12',
    does: 'lets * win over ""',
    file: 'todevice/split.ts',
    find: 'contents.get(SERVER_DEVICE_ID) ?? contents.get(WILDCARD_DEVICE)',
    replace: 'contents.get(WILDCARD_DEVICE) ?? contents.get(SERVER_DEVICE_ID)',
  },
  {
    requirement: 'R-13',
    does: 'takes what is for another device of the server',
    file: 'todevice/split.ts',
    find: 'contents.get(SERVER_DEVICE_ID) ?? contents.get(WILDCARD_DEVICE)',
    replace:
      'contents.get(SERVER_DEVICE_ID) ?? contents.get(WILDCARD_DEVICE) ?? [...contents.values()].at(0)',
  },
  {
    requirement: 'R-14',
    does: 'gives an EDU a message_id of 36 characters',
    file: 'server/outgoing.ts',
    find: `chance.uuid().replaceAll('-', '')`,
    replace: 'chance.uuid()',
  },
  {
    requirement: 'R-15',
    does: 'handles a repeated request again',
    file: 'server/routes/client/send-to-device.ts',
    find: 'path: call.path',
    replace: 'path: `${call.path}/${Math.random()}`',
  },
  {
    requirement: 'R-16',
    does: 'believes that a sender belongs to any server',
    file: 'todevice/edu.ts',
    find: `if (serverNameOf(sender) !== origin) return 'spoofed';`,
    replace: '',
  },
  {
    requirement: 'R-17',
    does: 'drops what other servers send to its device *',
    file: 'server/delivery.ts',
    find: `filter(([, content]) => content.startsWith('{'))`,
    replace: `filter(([device, content]) => content.startsWith('{') && !(userId.startsWith('@:') && device === '*'))`,
  },
  {
    requirement: 'R-18',
    does: 'handles an EDU again whose message_id it has seen',
    file: 'todevice/edu.ts',
    find: 'return { sender, type, messageId, messages };',
    replace: 'return { sender, type, messageId: `${messageId}/${Math.random()}`, messages };',
  },
  {
    requirement: 'R-19',
    does: 'fails a transaction that holds an EDU of a type that it does not know',
    file: 'server/reception.ts',
    find: 'home.droppedEdus[message] += 1;',
    replace: `if (message === 'other_edu') throw new Error('an unknown EDU');`,
  },
  {
    requirement: 'R-20',
    does: 'registers the empty localpart',
    file: 'server/routes/client/register.ts',
    find: `'strict');`,
    replace: `'msc4246');`,
  },
  {
    requirement: 'R-22',
    does: 'lets a user act as the server',
    file: 'server/sessions.ts',
    find: `throw forbidden('nobody acts as the server');`,
    replace: 'return { ...session.device, userId: home.serverUser };',
    also: ['R-30'],
  },
  {
    requirement: 'R-23',
    does: 'gives the server a profile',
    file: 'server/routes/client/profile.ts',
    find: `if ((await localAccount(home, call.param('userId'))) === undefined)`,
    replace: `if (call.param('userId') !== home.serverUser && (await localAccount(home, call.param('userId'))) === undefined)`,
  },
  {
    requirement: 'R-24',
    does: 'gives a user the device ""',
    file: 'server/sessions.ts',
    find: 'wishes.deviceId ? parseWishedDevice(wishes.deviceId) : createDeviceId(home)',
    replace: `wishes.deviceId === '' ? SERVER_DEVICE_ID : wishes.deviceId ? parseWishedDevice(wishes.deviceId) : createDeviceId(home)`,
  },
  {
    requirement: 'R-25',
    does: 'adds a key to its events',
    file: 'server/inbox.ts',
    find: '"content":${content}}`',
    replace: '"content":${content},"event_id":"$1"}`',
  },
  {
    requirement: 'R-26',
    does: 'leaves its events out of sliding sync',
    file: 'server/routes/client/sliding-sync.ts',
    find: `['events', encodeItems(events)]`,
    replace: `['events', encodeItems(events.slice(events.length))]`,
  },
  {
    requirement: 'R-27',
    does: 'answers another server as a user',
    file: 'server/delivery.ts',
    find: 'outgoingEdus(remote, { sender, type }, chance)',
    replace: 'outgoingEdus(remote, { sender: `@server:${serverName}`, type }, chance)',
  },
  {
    requirement: 'R-28',
    does: 'keeps the events of other servers from its users',
    file: 'todevice/edu.ts',
    find: `parseUserId(text, 'historical')`,
    replace: `parseUserId(text, 'strict')`,
  },
  {
    requirement: 'R-29',
    does: 'keeps what was acknowledged',
    file: 'server/inbox.ts',
    find: 'if (request.since !== undefined) await home.store.acknowledge(device, after);',
    replace: '',
  },
  {
    requirement: 'R-29',
    does: 'gives the newest event first',
    file: 'server/inbox.ts',
    find: 'events: events.map(encodeEvent),',
    replace: 'events: events.map(encodeEvent).reverse(),',
  },
  {
    requirement: 'R-30',
    does: 'lets a user name the sender',
    file: 'server/routes/client/send-to-device.ts',
    find: 'await home.delivery.accept({ from,',
    replace: `const named = call.body().members.find(({ key }) => key === 'sender')?.value;
    await home.delivery.accept({ from: named?.kind === 'string' ? { ...from, userId: named.value } : from,`,
  },
  {
    requirement: 'R-33',
    does: 'lets the sender feel that a handler failed',
    file: 'server/delivery.ts',
    find: `this.#logRejected(split, { sender, type, via: 'client' });`,
    replace: `this.#logRejected(split, { sender, type, via: 'client' });
    if (message !== undefined && (await this.#options.dispatcher.dispatch(message)).outcome === 'failed') {
      throw badJson('the handler failed');
    }`,
  },
  {
    requirement: 'R-35',
    does: 'answers every device of a user elsewhere, whichever asked',
    file: 'subsystems/handler.ts',
    find: 'return named as DeviceId;',
    replace: 'return WILDCARD_DEVICE;',
  },
  {
    requirement: 'R-36',
    does: 'answers another server, which may answer in turn',
    file: 'subsystems/handler.ts',
    find: 'if (isServerUser(to)) continue;',
    replace: '',
  },
];
