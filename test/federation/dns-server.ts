/** A name server on loopback for one test (RFC 1035): answers SRV and CNAME questions from a table. */
import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';

export interface Zone {
  readonly srv?: Readonly<Record<string, readonly [number, number, number, string][]>>;
  readonly cname?: Readonly<Record<string, string>>;
  /** Names that exist, without records of these types. */
  readonly empty?: readonly string[];
  /** Names for which the server fails (SERVFAIL). */
  readonly failing?: readonly string[];
}

/** Gives the server's `ADDRESS:PORT`. */
export async function startDnsServer(zone: Zone): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answer(query, zone), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return `127.0.0.1:${String(socket.address().port)}`;
}

function answer(query: Buffer, zone: Zone): Buffer {
  const { name, end } = readName(query, HEADER_BYTES);
  const type = query.readUInt16BE(end);
  const question = query.subarray(HEADER_BYTES, end + 4);
  const data = recordData(type, name, zone);
  const exists = data.length > 0 || zone.empty?.includes(name) === true;
  const code = zone.failing?.includes(name) === true ? SERVFAIL : exists ? 0 : NXDOMAIN;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(data.length, 6);
  const records = data.map((bytes) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc000 | HEADER_BYTES, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([header, question, ...records]);
}

function recordData(type: number, name: string, zone: Zone): Buffer[] {
  if (type === SRV) {
    return (zone.srv?.[name] ?? []).map(([priority, weight, port, target]) => {
      const numbers = Buffer.alloc(6);
      [priority, weight, port].forEach((number, index) => numbers.writeUInt16BE(number, 2 * index));
      return Buffer.concat([numbers, encodeName(target)]);
    });
  }
  const alias = type === CNAME ? zone.cname?.[name] : undefined;
  return alias === undefined ? [] : [encodeName(alias)];
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

const HEADER_BYTES = 12;
const CNAME = 5;
const SRV = 33;
const SERVFAIL = 2;
const NXDOMAIN = 3;
