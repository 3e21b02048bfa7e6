/**
 * A third server, in the hands of the test: it has a name, a certificate and a key, and says what it is told to say,
 * true or not.
 */
import { expect } from 'vitest';
import { sendTransaction } from '../../../src/federation/send-transaction.js';
import { parseServerName } from '../../../src/ids/server-name.js';
import { jsonTextOf } from '../../../src/wire/json.js';
import { openClient, startPeer } from '../../federation/peer.js';
import { json } from '../../http/loopback-server.js';

/** The content of an `m.direct_to_device` EDU. */
export interface DirectToDevice {
  readonly sender: string;
  readonly type: string;
  readonly message_id: string;
  readonly messages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Stranger {
  readonly serverName: string;
  /** Sends each of `edus` in one transaction, properly signed, and expects that it is taken. */
  say(destination: string, ...edus: readonly DirectToDevice[]): Promise<void>;
  /** Everything that other servers have told it, in order. */
  readonly heard: readonly DirectToDevice[];
  /** Every request that came, `METHOD PATH`. */
  asked(): string[];
  /** Resolves when `count` EDUs have come. */
  hears(count: number): Promise<readonly DirectToDevice[]>;
}

/** Starts a stranger, which goes with the test. Its certificate is of the test authority. */
export async function startStranger(): Promise<Stranger> {
  const heard: DirectToDevice[] = [];
  const waiting: (() => void)[] = [];
  const peer = await startPeer((asked, response) => {
    const { edus = [] } = JSON.parse(asked.body) as {
      edus?: { edu_type: string; content: DirectToDevice }[];
    };
    for (const { edu_type: type, content } of edus) if (type === 'm.direct_to_device') heard.push(content);
    json(response, 200, { pdus: {} });
    for (const wake of waiting.splice(0)) wake();
  });
  const client = openClient();
  const identity = { serverName: peer.name, keys: [peer.key] } as const;
  return {
    serverName: peer.name,
    heard,
    asked: () => peer.asked.map(({ method, path }) => `${method} ${path}`),
    say: async (destination, ...edus) => {
      const transaction = {
        txnId: crypto.randomUUID(),
        originServerTsMs: Date.now(),
        edus: edus.map((content) => jsonTextOf({ edu_type: 'm.direct_to_device', content })),
      };
      const answer = await sendTransaction(client, parseServerName(destination), transaction, identity);
      expect(JSON.parse(answer.body)).toEqual({ pdus: {} });
    },
    hears: async (count) => {
      while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return heard;
    },
  };
}

/** A message ID that was never used. */
export function freshMessageId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
