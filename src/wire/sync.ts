/**
 * The part of a sync answer that to-device messages need. All else in it is skipped unread.
 *
 * The content of an event is cut out of the text as it stands, so that big integers, lone surrogates and any
 * depth survive. What is no event is counted and passed over: one odd item must not stop a listener.
 *
 * @see Client-Server API v1.19, "Syncing", "Extensions to /sync"; MSC4186; MSC4538
 */
import { MalformedResponseError } from '../errors.js';
import { JsonCursor, JsonSyntaxError, type JsonText } from './json.js';

/** One item of `to_device.events`, as it came: odd servers send odd things, and none may end a listener. */
export interface ToDeviceEvent {
  /** Undefined when absent or no string; may be no user ID at all. */
  readonly sender: string | undefined;
  /** Undefined when absent or no string. */
  readonly type: string | undefined;
  /** On one line, else untouched; `null` when absent. May be any JSON value. */
  readonly content: JsonText;
}

export interface SyncBatch {
  /** Given as `since`, it acknowledges this batch. */
  readonly nextBatch: string;
  readonly events: readonly ToDeviceEvent[];
  /** Items of the events that are no objects. */
  readonly malformedCount: number;
}

export interface SlidingSyncBatch extends Omit<SyncBatch, 'nextBatch'> {
  /** Where the connection stands; belongs to the connection, acknowledges nothing. */
  readonly pos: string;
  /** Undefined when the answer says nothing of to-device messages (MSC4538): the old one stays good. */
  readonly nextBatch: string | undefined;
}

/**
 * Reads the answer of `GET /v3/sync`. `at` names the request in an error: `GET https://…/sync`.
 * @throws MalformedResponseError when it is no JSON object or has no string `next_batch`
 */
export function parseSync(body: string, at: () => string): SyncBatch {
  return read(body, at, (cursor) => {
    let nextBatch: string | undefined;
    let section = NO_SECTION;
    cursor.object((key) => {
      if (key === 'next_batch') nextBatch = optionalString(cursor);
      else if (key === 'to_device') section = readSection(cursor);
      else cursor.skip();
    });
    if (nextBatch === undefined) throw malformed(at, 'a string next_batch', 'the answer has no next_batch');
    return { nextBatch, events: section.events, malformedCount: section.malformedCount };
  });
}

/**
 * Reads the answer of a sliding sync, of both endpoint forms.
 * @throws MalformedResponseError when it is no JSON object or has no string `pos`
 */
export function parseSlidingSync(body: string, at: () => string): SlidingSyncBatch {
  return read(body, at, (cursor) => {
    let pos: string | undefined;
    let section = NO_SECTION;
    cursor.object((key) => {
      if (key === 'pos') pos = optionalString(cursor);
      else if (key === 'extensions' && cursor.kind() === 'object') {
        cursor.object((name) => {
          if (TO_DEVICE_EXTENSIONS.has(name)) section = readSection(cursor);
          else cursor.skip();
        });
      } else cursor.skip();
    });
    if (pos === undefined) throw malformed(at, 'a string pos', 'the answer has no pos');
    return { pos, ...section };
  });
}

interface Section {
  readonly nextBatch: string | undefined;
  readonly events: readonly ToDeviceEvent[];
  readonly malformedCount: number;
}

function readSection(cursor: JsonCursor): Section {
  if (cursor.kind() !== 'object') {
    cursor.skip();
    return NO_SECTION;
  }
  let nextBatch: string | undefined;
  let items = { events: NO_SECTION.events, malformedCount: 0 };
  cursor.object((key) => {
    if (key === 'next_batch') nextBatch = optionalString(cursor);
    else if (key === 'events' && cursor.kind() === 'array') items = readEvents(cursor);
    else cursor.skip();
  });
  return { nextBatch, ...items };
}

function readEvents(cursor: JsonCursor): { events: readonly ToDeviceEvent[]; malformedCount: number } {
  const events: ToDeviceEvent[] = [];
  let malformedCount = 0;
  cursor.array(() => {
    if (cursor.kind() === 'object') {
      events.push(readEvent(cursor));
    } else {
      malformedCount += 1;
      cursor.skip();
    }
  });
  return { events, malformedCount };
}

function readEvent(cursor: JsonCursor): ToDeviceEvent {
  let sender: string | undefined;
  let type: string | undefined;
  let content = 'null' as JsonText;
  cursor.object((key) => {
    if (key === 'sender') sender = optionalString(cursor);
    else if (key === 'type') type = optionalString(cursor);
    else if (key === 'content') content = cursor.slice();
    else cursor.skip();
  });
  return { sender, type, content };
}

function optionalString(cursor: JsonCursor): string | undefined {
  if (cursor.kind() === 'string') return cursor.string();
  cursor.skip();
  return undefined;
}

function read<T>(body: string, at: () => string, readRoot: (cursor: JsonCursor) => T): T {
  const cursor = new JsonCursor(body);
  try {
    const result = readRoot(cursor);
    cursor.end();
    return result;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw malformed(at, 'a JSON object', `the answer is no JSON object: ${error.message}`, error);
  }
}

function malformed(
  at: () => string,
  expected: string,
  what: string,
  cause?: unknown,
): MalformedResponseError {
  const place = at();
  return new MalformedResponseError(expected, place, `${place}: ${what}`, {
    hint: 'is this a Matrix homeserver?',
    cause,
  });
}

/** MSC4538 names its extension with a prefix in the stable endpoint; servers of today have none. */
const TO_DEVICE_EXTENSIONS: ReadonlySet<string> = new Set(['to_device', 'org.matrix.msc4538.to_device']);
const NO_SECTION: Section = { nextBatch: undefined, events: [], malformedCount: 0 };
