import { MatrixError } from '../errors.js';
import { isServerDevice } from '../ids/device-id.js';
import { encodeMessages, type OutgoingMessage, type TransactionId } from '../todevice/message.js';
import type { ClientApi } from './api.js';
import { withHint } from './error-answer.js';
import { sendToDevice, type Accepted } from './send-to-device.js';

/**
 * Sends one message to one recipient.
 *
 * Homeservers built on ruma refuse the whole request with 400 when it names the device `""`; the hint of such a
 * refusal names `*`, which MSC4246 has the homeserver turn into `""` ("Proposal").
 *
 * @throws MatrixError, RateLimitedError, NetworkError, MalformedResponseError, the signal's reason
 */
export async function sendMessage(
  api: ClientApi,
  { recipient, type, content }: OutgoingMessage,
  txnId: TransactionId,
  signal?: AbortSignal,
): Promise<Accepted> {
  try {
    return await sendToDevice(api, { type, txnId, messages: encodeMessages(recipient, content) }, signal);
  } catch (error) {
    const isServer = isServerDevice(recipient.device);
    throw isServer && error instanceof MatrixError && error.status === 400
      ? withHint(error, DEVICE_HINT)
      : error;
  }
}

const DEVICE_HINT = `this homeserver may not take the device "": try --device '*', which it may know how to turn into ""`;
