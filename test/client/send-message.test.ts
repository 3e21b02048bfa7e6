import { describe, expect, it } from 'vitest';
import type { ApiCall, ClientApi } from '../../src/client/api.js';
import { sendMessage } from '../../src/client/send-message.js';
import { MatrixError } from '../../src/errors.js';
import {
  parseContent,
  parseEventType,
  parseRecipient,
  parseTransactionId,
} from '../../src/todevice/message.js';

const TXN = parseTransactionId('whatever123');

describe('sendMessage', () => {
  it('makes the request of MSC4246, "Proposal" (R-2)', async () => {
    const calls: ApiCall[] = [];
    const accepted = await sendMessage(apiOf(calls), messageTo('@:example.org'), TXN);
    expect(accepted).toEqual({ attempts: 1, elapsedMs: 7 });
    expect(calls).toEqual([
      {
        method: 'PUT',
        path: '/v3/sendToDevice/org.example.whatever/whatever123',
        body: '{"messages":{"@:example.org":{"":{"example_content":"value"}}}}',
      },
    ]);
  });

  it.each([
    ['@:example.org', undefined, 400, true],
    ['@:example.org', '*', 400, false],
    ['@alice:example.org', 'AAAABBBB', 400, false],
    ['@:example.org', undefined, 403, false],
  ])(
    "to %s device %s refused with %d: does the hint name --device '*'? %s",
    async (to, device, status, hinted) => {
      const refusal = new MatrixError(
        { status, errcode: 'M_BAD_JSON', method: 'PUT', url: 'http://localhost/x', softLogout: false },
        'Device identifier cannot be empty',
      );
      const error: unknown = await sendMessage(apiOf([], refusal), messageTo(to, device), TXN).catch(
        (each: unknown) => each,
      );
      expect(error).toMatchObject({
        code: 'refused',
        status,
        errcode: 'M_BAD_JSON',
        message: 'Device identifier cannot be empty',
      });
      expect((error as MatrixError).hint?.includes("--device '*'") ?? false).toBe(hinted);
    },
  );
});

function messageTo(to: string, device?: string) {
  return {
    recipient: parseRecipient(to, device),
    type: parseEventType('org.example.whatever'),
    content: parseContent('{"example_content":"value"}'),
  };
}

function apiOf(calls: ApiCall[], refusal?: Error): ClientApi {
  return {
    baseUrl: 'http://localhost',
    call: (call) => {
      calls.push(call);
      if (refusal !== undefined) return Promise.reject(refusal);
      return Promise.resolve({ method: 'PUT', url: '', body: '{}', attempts: 1, elapsedMs: 7 });
    },
  };
}
