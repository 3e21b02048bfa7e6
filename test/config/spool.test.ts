import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendToSpool, openSpool } from '../../src/config/spool.js';
import { DiskError } from '../../src/errors.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { compactJson } from '../../src/wire/json.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-spool-'));
  file = join(directory, 'spools', 'one.ndjson');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function event(n: number): ToDeviceEvent {
  return { sender: '@:example.org', type: 'org.example.n', content: compactJson(`{"n":${n}}`) };
}

describe('the spool', () => {
  it('gives back what was added, in order, the content as it came', () => {
    const odd: ToDeviceEvent[] = [
      {
        sender: '@:example.org',
        type: 'a',
        content: compactJson('{"big":90071992547409931,"f":1.0,"a":1,"a":2}'),
      },
      { sender: undefined, type: undefined, content: compactJson('null') },
      { sender: '\ud800', type: 'line\nend', content: compactJson('"\\ud800\\n"') },
      { sender: '@ü:example.org', type: '', content: compactJson('[{"ü":"😀"}]') },
    ];
    appendToSpool(file, odd);
    appendToSpool(file, [event(1)]);
    expect(openSpool(file).waiting).toEqual([...odd, event(1)]);
  });

  it('is empty where there is no file', () => {
    expect(openSpool(file).waiting).toEqual([]);
  });

  it('is for its owner only', () => {
    appendToSpool(file, [event(1)]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'spools')).mode & 0o777).toBe(0o700);
  });

  it('forgets events one by one, and nothing else, whenever it is opened again', () => {
    appendToSpool(file, [1, 2, 3, 4].map(event));
    const first = openSpool(file);
    first.remove(1);
    first.remove(1);
    expect(first.waiting).toHaveLength(4);
    const second = openSpool(file);
    expect(second.waiting).toEqual([event(3), event(4)]);
    second.remove(1);
    appendToSpool(file, [event(5)]);
    expect(openSpool(file).waiting).toEqual([event(4), event(5)]);
  });

  it('leaves no file behind when all was handed over', () => {
    appendToSpool(file, [event(1), event(2)]);
    const spool = openSpool(file);
    spool.remove(1);
    expect(existsSync(file)).toBe(true);
    spool.remove(1);
    expect(existsSync(file)).toBe(false);
    spool.remove(1);
    expect(existsSync(file)).toBe(false);
  });

  it('loses nothing but the line that a crash cut, wherever it cut', () => {
    appendToSpool(file, [event(1)]);
    const before = statSync(file).size;
    appendToSpool(file, [event(2)]);
    const after = statSync(file).size;
    for (let size = after - 1; size > before; size -= 1) {
      truncateSync(file, size);
      expect(openSpool(file).waiting).toEqual([event(1)]);
    }
  });

  it('does not mix what a crash cut with what is added later', () => {
    appendToSpool(file, [event(1), event(2)]);
    truncateSync(file, statSync(file).size - 5);
    appendToSpool(file, [event(3)]);
    expect(openSpool(file).waiting).toEqual([event(1), event(3)]);
  });

  it('passes over lines that are not its own', () => {
    appendToSpool(file, [event(1)]);
    appendFileSync(
      file,
      'hello\n\n{"sender":5,"content":{}}\n{"sender":"@a:b","type":"t"}\n{"content":1} x\n',
    );
    appendToSpool(file, [event(2)]);
    expect(openSpool(file).waiting).toEqual([event(1), event(2)]);
  });

  it('keeps one line an event', () => {
    appendToSpool(file, [event(1), event(2)]);
    expect(readFileSync(file, 'utf8')).toBe(
      '{"sender":"@:example.org","type":"org.example.n","content":{"n":1}}\n' +
        '{"sender":"@:example.org","type":"org.example.n","content":{"n":2}}\n',
    );
  });

  it('that cannot be written is a disk error', () => {
    writeFileSync(join(directory, 'spools'), '');
    expect(() => appendToSpool(file, [event(1)])).toThrow(DiskError);
    expect(() => openSpool(file)).toThrow(DiskError);
  });
});
