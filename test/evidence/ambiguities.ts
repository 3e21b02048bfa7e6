/** Where MSC4246 can be read in more than one way: what is open, how mx2s reads it, and what the text could say instead. */
import type { RequirementId } from '../../src/check/requirements.js';

export interface Ambiguity {
  /** Code and tests cite it, e.g. `A9`. */
  readonly id: `A${number}`;
  readonly question: string;
  /** What the text says, and what it leaves open. */
  readonly open: string;
  /** What mx2s does. */
  readonly reading: string;
  /** Where in the proposal the words would stand; undefined: where nothing need be said. */
  readonly proposed: { readonly place: string; readonly wording: string } | undefined;
  /** The requirements whose verdicts show what servers do; none where that cannot be seen from outside. */
  readonly requirements: readonly RequirementId[];
}

export const AMBIGUITIES: readonly Ambiguity[] = [
  {
    id: 'A1',
    question: 'May the sender `@:domain` reach a client at all?',
    open: 'Since v1.14 the specification names the empty localpart, calls it non-compliant, and says that servers SHOULD NOT forward such IDs to clients outside the context of an event (Appendices, "Historical User IDs"). The sender of a to-device message is outside it. The proposal cites v1.13, which did not have these sentences, and depends on the opposite. Synapse issue 20116 names this very sender among the places that are still open, and warns that to close it would break encryption for such users.',
    reading:
      'The proposal makes the empty localpart part of the current grammar, so it is no longer non-compliant, and the sender is forwarded.',
    proposed: {
      place: '"Proposal", after the first paragraph, and as a change to the Appendices',
      wording:
        "An ID with an empty localpart is no longer a non-compliant historical user ID. Servers MUST forward to-device messages whose `sender` has an empty localpart to clients, provided that the sender's domain is the origin of the EDU.",
    },
    requirements: ['R-28'],
  },
  {
    id: 'A2',
    question: 'Which server is "the local server" that converts `*`?',
    open: "The sender's homeserver, or the one that is addressed? The difference shows over federation: servers that do not know the proposal send `*` on as it is.",
    reading:
      "The sender's homeserver converts it, for its own and for other servers, before anything is routed. The addressed server does it once more, because senders that do not know the proposal will not.",
    proposed: {
      place: '"Proposal", the paragraph on `*`',
      wording:
        'The homeserver of the sender MUST convert `*` to `""` for every user ID with an empty localpart, local or remote, before it routes the message. A server that receives an EDU for its own server user with the device `*` MUST treat it as `""`.',
    },
    requirements: ['R-10', 'R-17'],
  },
  {
    id: 'A3',
    question: 'What if `*` and `""` are both there?',
    open: 'One request can name both. After the conversion there would be two contents for one device. Synapse counts `*` only where it stands alone.',
    reading: 'The explicit `""` wins, and one message is dispatched.',
    proposed: {
      place: '"Proposal", the paragraph on `*`',
      wording: 'If both are given, the content for `""` is used and that for `*` is ignored.',
    },
    requirements: ['R-12'],
  },
  {
    id: 'A4',
    question: 'What becomes of other device IDs at the server, and of `""` at a user?',
    open: 'The text says that a server has one device, and not what to do with messages for another.',
    reading: 'Both are dropped, and the answer is 200, as with any unknown device.',
    proposed: {
      place: '"Proposal", the paragraph on `*`',
      wording:
        'Messages for any other device of the server user, and for the device `""` of any other user, are dropped as are messages for unknown devices.',
    },
    requirements: ['R-13'],
  },
  {
    id: 'A5',
    question: 'May a user have a device `""`?',
    open: '"Any grammar for device IDs" is amended, but there is no such grammar: device IDs are opaque. Synapse and Dendrite give a device `""` to whoever asks for it at login.',
    reading: 'No: the empty device ID is reserved. `device_id: ""` at login counts as absent.',
    proposed: {
      place: '"Proposal", first paragraph',
      wording:
        'Servers MUST NOT create a device with an empty ID for any user. An empty `device_id` in `/login` or `/register` is treated as if it were absent.',
    },
    requirements: ['R-24'],
  },
  {
    id: 'A6',
    question: 'What refuses the registration of the empty localpart?',
    open: 'The text leans on the historical grammar, which servers decline for new accounts, and in the same paragraph moves the empty localpart into the current grammar, which they accept.',
    reading: 'It is refused by name.',
    proposed: {
      place: '"Proposal", first paragraph, in place of its last sentence',
      wording:
        'Servers MUST NOT allow the empty localpart to be registered, by any API. An empty `username` in `/register` may be treated as absent.',
    },
    requirements: ['R-20'],
  },
  {
    id: 'A7',
    question: 'With which error code?',
    open: 'None is given.',
    reading:
      '400 `M_INVALID_USERNAME`, as Synapse answers today, and Dendrite when it is asked whether the name is available.',
    proposed: {
      place: 'the same',
      wording: 'The request is refused with `M_INVALID_USERNAME`.',
    },
    requirements: ['R-20'],
  },
  {
    id: 'A8',
    question: 'How does a server take over an account that exists?',
    open: '"Servers should consider taking over such user IDs" does not say what becomes of its tokens, devices, queues and rooms.',
    reading:
      'Its access tokens are revoked, its devices and their queues are removed and login is refused; what it did in rooms stays.',
    proposed: {
      place: '"Potential issues"',
      wording:
        'A server that takes over such an account SHOULD revoke its access tokens, delete its devices, refuse logins, and leave its room memberships and events as they are.',
    },
    requirements: [],
  },
  {
    id: 'A9',
    question: 'How can a client tell whether the server knows the proposal?',
    open: 'Unknown types are dropped in silence, and no capability or version tells. A server that does not know the proposal, one that dropped the type, and one where `@:domain` is an account all answer 200.',
    reading:
      'Silence is kept. mx2s says "accepted", never "delivered", and its conformance check says "inconclusive" where silence proves nothing. Its own type `mx2s.ping` is no part of the proposal.',
    proposed: {
      place: '"Proposal", a new paragraph, and "Unstable prefix"',
      wording:
        'Servers that implement this proposal advertise `org.matrix.msc4246` in `unstable_features` of `/versions`, and after its acceptance the version of the specification that has it. This says nothing about which event types the server handles.',
    },
    requirements: ['R-19', 'R-32'],
  },
  {
    id: 'A10',
    question: 'How does a server know which device to answer?',
    open: 'Neither the EDU nor the event names the sending device. The third example answers the device `AAAABBBB`, and does not say how the server has learnt of it.',
    reading:
      'A local sender is answered on the sending device, which the access token tells. Else the answer goes to the device that the content names, or to `*`.',
    proposed: {
      place: '"Proposal", after the third example',
      wording:
        'Neither the EDU nor the to-device event names the device of the sender. Protocols that need an answer on one device SHOULD carry its ID in the content; else the answer is sent to `*`.',
    },
    requirements: ['R-27', 'R-35'],
  },
  {
    id: 'A11',
    question: 'May a server send to a server?',
    open: 'The title says "as/to a server"; no example has both.',
    reading:
      'It is accepted and handled, and never answered by itself: two servers would answer each other for ever.',
    proposed: {
      place: '"Proposal", after the third example',
      wording:
        'Sender and recipient may both be servers. A server MUST NOT answer automatically to a sender with an empty localpart unless the protocol of the event type says so.',
    },
    requirements: ['R-36'],
  },
  {
    id: 'A12',
    question: 'Must the sender belong to the origin?',
    open: 'Neither the proposal nor the Server-Server API says so. Without it every server can speak as every other.',
    reading:
      'An EDU whose sender is of another domain than the authenticated origin is dropped. So do Synapse and Dendrite.',
    proposed: {
      place: '"Security considerations"',
      wording:
        'Servers MUST drop an `m.direct_to_device` EDU if the domain of its `sender` is not the server that signed the transaction.',
    },
    requirements: ['R-16'],
  },
  {
    id: 'A13',
    question: 'Who can read the messages?',
    open: 'The server user has no keys, so nothing is encrypted end to end; over federation two homeservers can read each message.',
    reading: 'Documented: nothing secret belongs there.',
    proposed: {
      place: '"Security considerations"',
      wording:
        'Messages to and from a server are not encrypted end to end: the homeserver of the client and the addressed server can read them. Dependent protocols must not rely on their confidentiality.',
    },
    requirements: [],
  },
  {
    id: 'A14',
    question: 'Is `@:domain` a user elsewhere: profile, presence, rooms, keys?',
    open: 'The text reserves the ID, and says only that it has no device list.',
    reading: 'It is nobody: no profile (404), no devices, no keys; it cannot be invited.',
    proposed: {
      place: '"Proposal", first paragraph',
      wording:
        'The server user has no profile, presence, devices or keys, and takes no part in rooms. Servers answer requests about them as for a user that does not exist, and send no `m.device_list_update` for it.',
    },
    requirements: ['R-11', 'R-23'],
  },
  {
    id: 'A15',
    question: '"If the event type or EDU is unknown": which EDUs?',
    open: 'Only `m.direct_to_device` is used here.',
    reading: 'Unknown event types and unknown EDUs are both dropped; neither fails the transaction.',
    proposed: {
      place: '"Security considerations"',
      wording:
        'If the event type is unknown to the server, the message is dropped. The transaction that brought it succeeds.',
    },
    requirements: ['R-19'],
  },
  {
    id: 'A16',
    question: 'Is a message processed before or after the 200?',
    open: '"Processed as soon as possible" allows both, and a handler that fails is not mentioned.',
    reading:
      'It is handed over before the answer; the answer does not wait for the outcome, and does not tell it.',
    proposed: {
      place: '"Security considerations"',
      wording:
        'The response to the client or server that sent the message says that it was accepted, and nothing about its processing.',
    },
    requirements: ['R-32'],
  },
  {
    id: 'A17',
    question: 'What are the limits: size, rate, guests, order?',
    open: 'The checklist for proposals asks for them, and the text has none.',
    reading:
      'At most 65 536 bytes of canonical JSON for a message; a rate limit for each sender and origin, where one is set, answered with 429 to clients and by dropping over federation; guests may send; what one sender sends is handed over in order.',
    proposed: {
      place: '"Proposal", a new paragraph',
      wording:
        'As for any to-device message: authentication is required, guests may send, and servers SHOULD limit rates (`M_LIMIT_EXCEEDED`). Messages to a server SHOULD be limited per sender and, over federation, per origin, where those beyond the limit are dropped. Servers may refuse messages over 65 536 bytes with `M_TOO_LARGE`.',
    },
    requirements: [],
  },
  {
    id: 'A18',
    question: 'Where else does `@:domain` become legal?',
    open: 'The grammar is changed everywhere: in the `identifier` of a login, in filters, in invites.',
    reading: 'It may be written there, and is refused where it would be used as an account.',
    proposed: {
      place: '"Proposal", first paragraph',
      wording:
        'The server user cannot log in, and no access token may act for it through the Client-Server API.',
    },
    requirements: ['R-22', 'R-30'],
  },
  {
    id: 'A19',
    question: 'Is the server user in the namespace of an application service?',
    open: 'A namespace such as `@.*:example\\.org` matches `@:example.org`.',
    reading:
      'The server user is in no namespace, unless an application service is configured to be the subsystem.',
    proposed: {
      place: '"Proposal", first paragraph',
      wording:
        'It is in no namespace of an application service, unless the server is configured so that this application service processes the messages to it.',
    },
    requirements: [],
  },
  {
    id: 'A20',
    question: 'A link',
    open: 'The link on `/sendToDevice` leads to the section on historical user IDs.',
    reading: '`PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}` is meant.',
    proposed: {
      place: '"Proposal", before the first example',
      wording: 'Link the section "Send-to-Device messaging" of the Client-Server API.',
    },
    requirements: [],
  },
];
