/**
 * The body of `PUT /_matrix/federation/v1/send/{txnId}`.
 *
 * @see Server-Server API v1.19, "Transactions"
 */
import { member, type JsonNode, type JsonText } from './json.js';

export interface Transaction {
  readonly origin: string;
  readonly originServerTsMs: number;
  /** We join no rooms: each is answered with an error. */
  readonly pdus: readonly JsonNode[];
  /** Each by itself: one that makes no sense spoils no other. */
  readonly edus: readonly JsonNode[];
}

/** Why a body is no transaction. */
export interface TransactionFault {
  readonly fault: string;
}

/** Reads a body that has parsed as JSON; how much is in it is `countFault`'s to judge. Never throws. */
export function parseTransaction(body: JsonNode): Transaction | TransactionFault {
  if (body.kind !== 'object') return { fault: 'the body is no object' };
  const origin = member(body, 'origin');
  const timestamp = member(body, 'origin_server_ts');
  const pdus = member(body, 'pdus');
  const edus = member(body, 'edus');
  if (origin?.kind !== 'string') return { fault: 'origin is missing or no string' };
  if (timestamp?.kind !== 'number' || !Number.isSafeInteger(Number(timestamp.text))) {
    return { fault: 'origin_server_ts is missing or no integer' };
  }
  if (pdus?.kind !== 'array') return { fault: 'pdus is missing or no array' };
  if (edus !== undefined && edus.kind !== 'array') return { fault: 'edus is no array' };
  return {
    origin: origin.value,
    originServerTsMs: Number(timestamp.text),
    pdus: pdus.items,
    edus: edus?.items ?? [],
  };
}

/** Why a transaction holds more than it may, undefined if it does not. */
export function countFault({ pdus, edus }: Transaction): TransactionFault | undefined {
  if (pdus.length > MAX_PDUS) return { fault: `more than ${MAX_PDUS} PDUs` };
  if (edus.length > MAX_EDUS) return { fault: `more than ${MAX_EDUS} EDUs` };
  return undefined;
}

/** Writes a transaction of EDUs; `pdus` has to be there also when it is empty. */
export function encodeTransaction(transaction: {
  readonly origin: string;
  readonly originServerTsMs: number;
  readonly edus: readonly JsonText[];
}): JsonText {
  const { origin, originServerTsMs, edus } = transaction;
  const head = `"origin":${JSON.stringify(origin)},"origin_server_ts":${originServerTsMs}`;
  return `{"edus":[${edus.join(',')}],${head},"pdus":[]}` as JsonText;
}

const MAX_PDUS = 50;
/** How many EDUs a transaction may hold. */
export const MAX_EDUS = 100;
