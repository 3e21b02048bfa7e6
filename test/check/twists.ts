/** Homeservers with one thing twisted: what they are sent, or what they answer. */
import type { Answer } from '../../src/http/request.js';
import { SERVER_USER } from '../server/kit.js';
import { ok, type Twist, type TwistRequest } from './twisted-server.js';

export const REFUSED = ok({ errcode: 'M_BAD_JSON', error: 'no' }, 400);

/** Twists what is sent: `change` gets the messages and gives others, none for a request that goes nowhere. */
export function sending(
  change: (messages: Messages, request: TwistRequest) => Messages | Answer | undefined,
  type = /./,
): Twist {
  return async (request, pass) => {
    const [, sent] = /^\/v3\/sendToDevice\/([^/]+)\//.exec(request.path) ?? [];
    if (sent === undefined || !type.test(sent)) return pass();
    const body = JSON.parse(request.body ?? '') as { messages: Messages };
    const changed = change(body.messages, request);
    if (changed === undefined) return ok({});
    return isAnswer(changed)
      ? changed
      : pass({ ...request, body: JSON.stringify({ ...body, messages: changed }) });
  };
}

type Messages = Readonly<Record<string, Readonly<Record<string, object>>>>;

function isAnswer(value: Messages | Answer): value is Answer {
  return typeof value['status'] === 'number';
}

/** Twists the answers at paths that match. */
export function answering(
  path: RegExp,
  change: (text: string, request: TwistRequest) => string | Answer,
): Twist {
  return async (request, pass) => {
    const answer = await pass();
    if (!path.test(request.path)) return answer;
    const changed = change(answer.body, request);
    return typeof changed === 'string' ? { ...answer, body: changed } : changed;
  };
}

/** Twists two of three answers at paths that match: they have no events yet. */
export function late(path: RegExp): Twist {
  let count = 0;
  return answering(path, (text) =>
    (count += 1) % 3 === 0 ? text : text.replace(/"events":\[.*\]/, '"events":[]'),
  );
}

/** Loses the first message to the server that `isMeant`. */
export function losing(isMeant: (devices: Readonly<Record<string, object>>) => boolean): Twist {
  let isLost = false;
  return sending((messages) => {
    if (isLost || !isMeant(serverDevices(messages))) return messages;
    isLost = true;
    return undefined;
  });
}

/** Keeps messages to the server that `isMeant` back, until the next message. */
export function delaying(isMeant: (devices: Readonly<Record<string, object>>) => boolean): Twist {
  let kept: (() => Promise<Answer>) | undefined;
  return async (request, pass) => {
    if (!request.path.startsWith('/v3/sendToDevice/')) return pass();
    await kept?.();
    kept = undefined;
    const { messages } = JSON.parse(request.body ?? '') as { messages: Messages };
    if (!isMeant(serverDevices(messages))) return pass();
    kept = pass;
    return ok({});
  };
}

/** Gives the events that `isMeant` twice, one behind the other. */
export function doubling(isMeant: (event: { readonly sender: string }) => boolean): Twist {
  return answering(/v3\/sync/, (text) => {
    const body = JSON.parse(text) as { to_device?: { events: { sender: string }[] } };
    const events = body.to_device?.events ?? [];
    const doubled = events.flatMap((event) => (isMeant(event) ? [event, event] : [event]));
    return JSON.stringify({ ...body, to_device: { events: doubled } });
  });
}

export function serverDevices(messages: Messages): Readonly<Record<string, object>> {
  return messages[SERVER_USER] ?? {};
}
