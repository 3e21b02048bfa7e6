/**
 * `validate:mls`: looks at the envelope of an MLS message, and does no MLS.
 *
 * The envelope is that of MSC4244, a draft: `{"message","commit_info"?:{"welcome"?}}`, both in base64. The draft
 * leaves the shape of a refusal open; the type and the shape of ours are no part of it.
 */
import { MAX_CONTENT_BYTES } from '../todevice/message.js';
import { decodeBase64 } from '../wire/base64.js';
import { jsonTextOf, parseJson, type JsonText } from '../wire/json.js';
import { ContentFault, optionalObjectAt, optionalStringAt, stringAt } from './content-fault.js';
import type { Handler } from './handler.js';

/** What a bad envelope is answered with: `{"reason"}`. Ours. */
export const MLS_REJECTED_TYPE = 'org.matrix.msc4244.mls.rejected';

/** Answers a bad envelope with `{"reason":"content.commit_info.welcome: not base64"}`, a good one not at all. */
export const validateMlsMessage: Handler = async ({ content }) => {
  try {
    checkMlsMessage(content);
    return undefined;
  } catch (error) {
    if (!(error instanceof ContentFault)) throw error;
    return { type: MLS_REJECTED_TYPE, content: jsonTextOf({ reason: error.message }) };
  }
};

function checkMlsMessage(text: JsonText): void {
  if (Buffer.byteLength(text) > MAX_CONTENT_BYTES) {
    throw new ContentFault('content', `longer than ${MAX_CONTENT_BYTES} bytes`);
  }
  const content = parseJson(text);
  checkBase64(stringAt(content, 'message', 'content'), 'content.message');
  const commitInfo = optionalObjectAt(content, 'commit_info', 'content');
  if (commitInfo === undefined) return;
  const path = 'content.commit_info';
  const welcome = optionalStringAt(commitInfo, 'welcome', path);
  if (welcome !== undefined) checkBase64(welcome, `${path}.welcome`);
}

function checkBase64(text: string, path: string): void {
  if (decodeBase64(text) === undefined) throw new ContentFault(path, 'not base64');
}
