/** The far side of a handler that is outside: reads what `encodeServerMessage` wrote, writes what `parseAnswers` reads. */
import { parseDeviceId } from '../ids/device-id.js';
import { parseUserId } from '../ids/user-id.js';
import { encodeJson, jsonTextOf, member, parseJson, stringMember, type JsonText } from '../wire/json.js';
import type { Answer, ServerMessage } from './handler.js';

/**
 * Reads `{sender,type,content,device_id?,via}`.
 * @throws Error saying what is wrong with it
 */
export function parseServerMessage(text: string): ServerMessage {
  const message = parseJson(text);
  const [sender, type, via] = ['sender', 'type', 'via'].map((name) => stringMember(message, name));
  if (sender === undefined || type === undefined) throw new Error('the message has no sender or no type');
  const content = member(message, 'content');
  if (content?.kind !== 'object') throw new Error('the message has no object under "content"');
  if (via !== 'client' && via !== 'federation')
    throw new Error('the message does not say by which way it came');
  const deviceId = stringMember(message, 'device_id');
  return {
    sender: parseUserId(sender, 'historical'),
    type,
    content: encodeJson(content),
    deviceId: deviceId === undefined ? undefined : parseDeviceId(deviceId),
    via,
  };
}

/** No text for no answer, `{"type","content"}` for one to whoever asked, else `{"messages":[…]}`. */
export function encodeAnswers(answers: readonly Answer[]): string {
  const [first] = answers;
  if (first === undefined) return '';
  if (answers.length === 1 && first.recipient === undefined) return encodeAnswer(first);
  return `{"messages":[${answers.map(encodeAnswer).join(',')}]}`;
}

function encodeAnswer({ type, content, recipient }: Answer): JsonText {
  const to = recipient === undefined ? {} : { to: recipient.to, device: recipient.device };
  return `${jsonTextOf({ ...to, type }).slice(0, -1)},"content":${content}}` as JsonText;
}
