/** A few client-server calls in raw HTTP: what the tests do on the far side of mx2s, without using its code. */
import { randomInt } from 'node:crypto';

export interface Session {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

export interface ToDeviceEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: Record<string, unknown>;
}

export type Answer = Record<string, unknown>;

/** Sends one request; any status but 2xx is thrown with its body. */
export async function call(
  method: string,
  url: string,
  options: { token?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${String(response.status)} ${text}`);
  return JSON.parse(text) as Answer;
}

/** Logs in; `body` is the login request of the Client-Server API, `token` that of an application service. */
export async function login(baseUrl: string, body: Answer, token?: string): Promise<Session> {
  const answer = await call('POST', `${baseUrl}/_matrix/client/v3/login`, {
    body,
    ...(token === undefined ? {} : { token }),
  });
  return {
    baseUrl,
    userId: String(answer['user_id']),
    deviceId: String(answer['device_id']),
    accessToken: String(answer['access_token']),
  };
}

export async function sendToDevice(
  from: Session,
  to: { userId: string; deviceId: string },
  type: string,
  content: Answer,
): Promise<void> {
  const path = `/_matrix/client/v3/sendToDevice/${encodeURIComponent(type)}/${crypto.randomUUID()}`;
  await call('PUT', from.baseUrl + path, {
    token: from.accessToken,
    body: { messages: { [to.userId]: { [to.deviceId]: content } } },
  });
}

/**
 * Reads one batch of `/v3/sync`, and the position that acknowledges it when given as the next `since`.
 *
 * Without `since` the answer comes at once, whatever the timeout. Synapse keeps it for two minutes, and gives it to
 * whoever asks the same again; so no two of these ask the same.
 */
export async function syncOnce(
  session: Session,
  position: { since?: string; timeoutMs: number; signal?: AbortSignal },
): Promise<{ events: ToDeviceEvent[]; nextBatch: string }> {
  const { since, timeoutMs } = position;
  const query = new URLSearchParams({ filter: NO_ROOMS });
  query.set('timeout', String(since === undefined ? randomInt(2 ** 31) : timeoutMs));
  if (since !== undefined) query.set('since', since);
  const answer = await call('GET', `${session.baseUrl}/_matrix/client/v3/sync?${String(query)}`, {
    token: session.accessToken,
    ...(position.signal === undefined ? {} : { signal: position.signal }),
  });
  const toDevice = answer['to_device'] as { events?: ToDeviceEvent[] } | undefined;
  return { events: toDevice?.events ?? [], nextBatch: String(answer['next_batch']) };
}

/** Reads on until `count` events have come, and acknowledges each batch but the last. */
export async function receive(session: Session, count: number): Promise<ToDeviceEvent[]> {
  const events: ToDeviceEvent[] = [];
  let since: string | undefined;
  while (events.length < count) {
    const position = since === undefined ? { timeoutMs: 0 } : { timeoutMs: 30_000, since };
    const batch = await syncOnce(session, position);
    events.push(...batch.events);
    since = batch.nextBatch;
  }
  return events;
}

/** Acknowledges and throws away everything that waits for a device. */
export async function discardAll(session: Session): Promise<void> {
  let batch = await syncOnce(session, { timeoutMs: 0 });
  while (batch.events.length > 0) batch = await syncOnce(session, { timeoutMs: 0, since: batch.nextBatch });
}

const NO_ROOMS = JSON.stringify({
  room: { rooms: [] },
  presence: { types: [] },
  account_data: { types: [] },
});
