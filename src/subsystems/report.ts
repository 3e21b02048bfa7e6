/**
 * `validate:report`: looks at the shape of a report, and answers nothing. A good report is `handled`, a bad one
 * `failed`; the event log counts both.
 *
 * The shape is that of MSC4468, a draft, with the body of MSC4457. Which harms there are, and which of them need a
 * description, is not looked at: both drafts are still moving.
 */
import { parseJson } from '../wire/json.js';
import { ContentFault, optionalStringAt, stringAt } from './content-fault.js';
import type { Handler } from './handler.js';

/** Fails for a bad report, with the reason for the operator: `content.report_id: missing`. */
export const validateReport: Handler = async (message) => {
  const content = parseJson(message.content);
  for (const key of ['community_id', 'report_id']) {
    const id = stringAt(content, key, 'content');
    if (!OPAQUE_ID.test(id)) throw new ContentFault(`content.${key}`, 'not an opaque identifier');
  }
  const type = stringAt(content, 'type', 'content');
  if (type !== 'complaint') throw new ContentFault('content.type', 'not "complaint", the only type there is');
  stringAt(content, 'regarding', 'content');
  stringAt(content, 'harm', 'content');
  const description = optionalStringAt(content, 'description', 'content');
  if (description === undefined) return undefined;
  if (description.trim() === '') throw new ContentFault('content.description', 'blank');
  if (Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES) {
    throw new ContentFault('content.description', `longer than ${MAX_DESCRIPTION_BYTES} bytes`);
  }
  return undefined;
};

/** Matrix v1.19, Appendices, "Opaque Identifiers". */
const OPAQUE_ID = /^[0-9A-Za-z._~-]{1,255}$/;
/** MSC4457, before white space is trimmed. */
const MAX_DESCRIPTION_BYTES = 1024;
