/** What `mx2s send` does with a message that is ready: send it, or show what would be sent. */
import { urlOf } from '../client/open.js';
import { sendMessage } from '../client/send-message.js';
import { sendToDeviceBody, sendToDevicePath, type Accepted } from '../client/send-to-device.js';
import { variable } from '../config/paths.js';
import { UsageError } from '../errors.js';
import { encodeMessages } from '../todevice/message.js';
import type { OutgoingLine, UnsentLine } from '../todevice/message-lines.js';
import { escapeText } from '../ui/escape.js';
import {
  encodePlannedRequest,
  renderCurl,
  renderPlannedRequest,
  renderSendResult,
  renderUnsentComment,
  type AcceptedResult,
  type PlannedRequest,
  type SendResult,
  type UnsentResult,
} from '../ui/render/send.js';
import type { Output } from '../ui/streams.js';
import { errorBody } from '../ui/voice.js';
import type { Context } from './context.js';
import type { ActionName } from './send-options.js';
import { knownHomeserver, openSession, profileStore } from './session.js';

export interface SendAction {
  /** What it makes of messages, for the summary: "3 accepted". */
  readonly outcome: string;
  /** Does it, and gives the text to print, with its line ends. */
  perform(outgoing: Outgoing): Promise<string>;
  /** The text to print for a line that it could not be done to. */
  unsent(line: UnsentLine): string;
  /** Lets go of what it holds open. */
  close(): Promise<void>;
}

export type Outgoing = Omit<OutgoingLine, 'line'> & { readonly line: number | undefined };

/** @throws what `openSession` and `knownHomeserver` throw; only sending needs a login */
export async function openAction(context: Context, name: ActionName): Promise<SendAction> {
  const { out, signal } = context;
  switch (name) {
    case 'send': {
      const { api } = await openSession(context);
      return {
        outcome: 'accepted',
        perform: async (outgoing) => {
          const accepted = await sendMessage(api, outgoing.message, outgoing.txnId, signal);
          return resultLine(out, acceptedResult(outgoing, accepted));
        },
        unsent: (line) => resultLine(out, unsentResult(line)),
        close: nothingToClose,
      };
    }
    case 'dry-run': {
      const homeserver = (await knownHomeserver(context)) ?? '';
      return {
        outcome: 'to be sent',
        perform: async (outgoing) => planLine(out, planOf(outgoing, homeserver)),
        unsent: (line) => resultLine(out, unsentResult({ ...line, txnId: undefined })),
        close: nothingToClose,
      };
    }
    case 'curl':
      noticeUnset(context);
      return {
        outcome: 'to be sent',
        perform: async (outgoing) => shown(out, renderCurl(planOf(outgoing, ''))),
        unsent: (line) => shown(out, renderUnsentComment(unsentResult(line))),
        close: nothingToClose,
      };
  }
}

export function acceptedResult(
  { line, message, txnId }: Outgoing,
  { attempts, elapsedMs }: Accepted,
): AcceptedResult {
  return {
    v: 1,
    status: 'accepted',
    line,
    to: message.recipient.to,
    device: message.recipient.device,
    type: message.type,
    txn_id: txnId,
    attempts,
    elapsed_ms: elapsedMs,
  };
}

export function unsentResult({ line, status, txnId, error }: UnsentLine): UnsentResult {
  return {
    v: 1,
    status,
    line,
    ...(txnId === undefined ? {} : { txn_id: txnId }),
    error: errorBody(error),
  };
}

/** The line is for any shell with curl, and no token of ours may stand in it; what it lacks is told beside it. */
function noticeUnset(context: Context): void {
  const { env, talk } = context;
  const unset = ['MX2S_HOMESERVER', 'MX2S_ACCESS_TOKEN'].filter((name) => variable(env, name) === undefined);
  if (unset.length === 0) return;
  const [are, them] = unset.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const file = profilesFile(context);
  const elsewhere = file === undefined ? '' : `: those of a profile stand in ${file}`;
  talk.notice(`${unset.join(' and ')} ${are} not set, and that line needs ${them}${elsewhere}`);
}

/** Undefined where the environment does not say: this needs no profile. */
function profilesFile(context: Context): string | undefined {
  try {
    return profileStore(context).file;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function planOf({ line, message, txnId }: Outgoing, homeserver: string): PlannedRequest {
  return {
    method: 'PUT',
    url: urlOf(homeserver, { path: sendToDevicePath(message.type, txnId) }),
    body: sendToDeviceBody(encodeMessages(message.recipient, message.content)),
    line,
  };
}

export function resultLine(out: Output, result: SendResult): string {
  if (out.format === 'text') return `${renderSendResult(result, out.palette)}\n`;
  return shown(out, JSON.stringify(result));
}

export function planLine(out: Output, plan: PlannedRequest): string {
  if (out.format === 'text') return `${renderPlannedRequest(plan, out.palette)}\n`;
  return shown(out, encodePlannedRequest(plan));
}

async function nothingToClose(): Promise<void> {
  // the connections are those of the whole run
}

function shown({ isTerminal }: Output, line: string): string {
  return `${isTerminal ? escapeText(line) : line}\n`;
}
