/**
 * Events that were read while an answer was waited for, and are not the answer. They stay here until the next
 * `listen` hands them over. Whoever touches the file holds the device's lock.
 *
 * One event a line, `{"sender"?,"type"?,"content"}`, its content exactly as it came. A line is crossed out by
 * overwriting its first byte: handing over one event of many costs one byte, and a crash at any moment may
 * repeat an event but never lose one. The file goes when its last line is crossed out.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ToDeviceEvent } from '../wire/sync.js';
import { JsonCursor, JsonSyntaxError, type JsonText } from '../wire/json.js';
import { diskError, FILE_MODE, hasErrno, makePrivateDirectory, removeFile } from './private-file.js';

export interface Spool {
  /** The events that waited when it was opened, first come first. */
  readonly waiting: readonly ToDeviceEvent[];
  /**
   * Takes the first `count` events that are still in the file out of it, after they were handed over.
   * @throws DiskError
   */
  remove(count: number): void;
}

/**
 * Adds events at the end; they are in the file, whole, when this returns.
 * @throws DiskError
 */
export function appendToSpool(path: string, events: readonly ToDeviceEvent[]): void {
  makePrivateDirectory(dirname(path));
  withFile(path, 'a+', (file) => {
    const torn = endsTorn(file) ? '\n' : ''; // so that what a crash left unfinished stays a line of its own
    writeFileSync(file, torn + events.map(encodeLine).join(''));
  });
}

/**
 * Opens the spool; one that does not exist is empty. Lines that are crossed out, unfinished or not ours are
 * left out.
 *
 * @throws DiskError when the file is there and cannot be read
 */
export function openSpool(path: string): Spool {
  const lines = liveLines(readIfThere(path));
  if (lines.length === 0) removeFile(path);
  return {
    waiting: lines.map(({ event }) => event),
    remove: (count) => {
      const gone = lines.splice(0, count);
      if (gone.length === 0) return;
      if (lines.length === 0) return removeFile(path);
      withFile(path, 'r+', (file) => {
        for (const { offset } of gone) writeSync(file, CROSSED_OUT, offset);
      });
    },
  };
}

interface Line {
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly event: ToDeviceEvent;
}

function liveLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let offset = 0; ;) {
    const end = bytes.indexOf(NEWLINE, offset);
    if (end === -1) return lines;
    const event = parseLine(bytes.toString('utf8', offset, end));
    if (event !== undefined) lines.push({ offset, event });
    offset = end + 1;
  }
}

function encodeLine({ sender, type, content }: ToDeviceEvent): string {
  const ends = JSON.stringify({ sender, type }).slice(0, -1);
  return `${ends}${ends === '{' ? '' : ','}"content":${content}}\n`;
}

function parseLine(line: string): ToDeviceEvent | undefined {
  const cursor = new JsonCursor(line);
  let sender: string | undefined;
  let type: string | undefined;
  let content: JsonText | undefined;
  try {
    cursor.object((key) => {
      if (key === 'content') content = cursor.slice();
      else if (key === 'sender') sender = cursor.string();
      else if (key === 'type') type = cursor.string();
      else cursor.skip();
    });
    cursor.end();
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
  return content === undefined ? undefined : { sender, type, content };
}

function endsTorn(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return Buffer.alloc(0);
    throw diskError(path, error);
  }
}

function withFile(path: string, flags: string, work: (file: number) => void): void {
  try {
    const file = openSync(path, flags, FILE_MODE);
    try {
      work(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw diskError(path, error);
  }
}

const NEWLINE = 0x0a;
const CROSSED_OUT = '#';
