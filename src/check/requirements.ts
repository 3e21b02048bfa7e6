/**
 * The requirements that a homeserver can be held to from outside: of docs/requirements.md, closed.
 *
 * `basis` says whose demand it is, for nobody's server fails for a reading of ours: `proposal` where MSC4246 says it,
 * `spec` where the Matrix specification does, `reading` where both are silent and we had to decide.
 */

/** `R-9` to `R-37`. */
export type RequirementId = keyof typeof REQUIREMENTS;

export type Level = (typeof LEVELS)[number];

/** The stronger first. */
export const LEVELS = ['must', 'should', 'may'] as const;

export type Basis = (typeof BASES)[number];

/** The stronger first. */
export const BASES = ['proposal', 'spec', 'reading'] as const;

/** How it can be known: from answers and events alone, only where the server answers a message, or not from outside. */
export type Provable = (typeof PROVABLES)[number];

export const PROVABLES = ['seen', 'by reply', 'never'] as const;

export interface Requirement {
  readonly level: Level;
  readonly basis: Basis;
  /** What a server does that holds it: a clause in the present tense. `@:d` is the server user of any server. */
  readonly title: string;
  readonly provable: Provable;
  /** Why it cannot be known, where `provable` is `never`. */
  readonly why?: string;
}

export const REQUIREMENTS = {
  'R-9': {
    level: 'must',
    basis: 'proposal',
    title: 'accepts messages to @:d, its own and others',
    provable: 'seen',
  },
  'R-10': {
    level: 'must',
    basis: 'proposal',
    title: 'turns the device * under @:d into ""',
    provable: 'by reply',
  },
  'R-11': { level: 'must', basis: 'reading', title: 'keeps no device list for @:d', provable: 'seen' },
  'R-12': {
    level: 'must',
    basis: 'reading',
    title: 'takes "" where * stands beside it, once',
    provable: 'by reply',
  },
  'R-13': {
    level: 'must',
    basis: 'reading',
    title: 'drops other devices of @:d, and "" of a user',
    provable: 'seen',
  },
  'R-14': {
    level: 'must',
    basis: 'proposal',
    title: 'sends a message for another server as an EDU',
    provable: 'seen',
  },
  'R-15': {
    level: 'must',
    basis: 'spec',
    title: 'takes a repeated transaction ID once',
    provable: 'seen',
  },
  'R-16': {
    level: 'must',
    basis: 'reading',
    title: 'drops an EDU whose sender is of another server',
    provable: 'seen',
  },
  'R-17': {
    level: 'must',
    basis: 'reading',
    title: 'takes "" and * under its @:d from other servers',
    provable: 'by reply',
  },
  'R-18': { level: 'must', basis: 'spec', title: 'takes a repeated message_id once', provable: 'seen' },
  'R-19': {
    level: 'must',
    basis: 'proposal',
    title: 'drops unknown types without an error',
    provable: 'by reply',
  },
  'R-20': {
    level: 'must',
    basis: 'proposal',
    title: 'registers nobody as @:d',
    provable: 'seen',
  },
  'R-21': {
    level: 'should',
    basis: 'proposal',
    title: 'takes over an account that is @:d already',
    provable: 'never',
    why: 'it shows when a server starts that has such an account, and no probe can make one',
  },
  'R-22': { level: 'must', basis: 'reading', title: 'lets nobody act as @:d', provable: 'seen' },
  'R-23': {
    level: 'should',
    basis: 'reading',
    title: 'gives @:d no profile and no presence',
    provable: 'seen',
  },
  'R-24': { level: 'must', basis: 'reading', title: 'gives nobody the device ID ""', provable: 'seen' },
  'R-25': {
    level: 'must',
    basis: 'proposal',
    title: 'delivers to its users as @:d, in /v3/sync',
    provable: 'by reply',
  },
  'R-26': {
    level: 'must',
    basis: 'proposal',
    title: 'delivers to its users as @:d, in sliding sync',
    provable: 'by reply',
  },
  'R-27': {
    level: 'must',
    basis: 'proposal',
    title: 'sends to users of other servers as @:d',
    provable: 'by reply',
  },
  'R-28': {
    level: 'must',
    basis: 'proposal',
    title: 'hands events of another @:d to its users',
    provable: 'seen',
  },
  'R-29': {
    level: 'must',
    basis: 'spec',
    title: 'queues what @:d sends like any other event',
    provable: 'by reply',
  },
  'R-30': { level: 'must', basis: 'reading', title: 'lets no user send as @:d', provable: 'seen' },
  'R-31': {
    level: 'must',
    basis: 'proposal',
    title: 'stores no message for @:d',
    provable: 'never',
    why: 'what a server stores and never shows cannot be seen from outside',
  },
  'R-32': {
    level: 'must',
    basis: 'proposal',
    title: 'processes messages at once, by their type',
    provable: 'by reply',
  },
  'R-33': {
    level: 'must',
    basis: 'reading',
    title: 'shields senders from handlers that fail',
    provable: 'by reply',
  },
  'R-34': {
    level: 'should',
    basis: 'reading',
    title: 'limits how fast it is sent to',
    provable: 'never',
    why: 'a limit shows when it is reached, and a flood would harm the server',
  },
  'R-35': {
    level: 'must',
    basis: 'reading',
    title: 'answers the device that asked, or all of them',
    provable: 'by reply',
  },
  'R-36': {
    level: 'must',
    basis: 'reading',
    title: 'sends no automatic answer to another @:d',
    provable: 'by reply',
  },
  'R-37': {
    level: 'may',
    basis: 'reading',
    title: 'takes messages of guests',
    provable: 'never',
    why: 'a guest cannot deactivate its account, so a probe would leave one behind',
  },
} as const satisfies Record<`R-${number}`, Requirement>;

/** All of them, in the order of their numbers. */
export const REQUIREMENT_IDS = Object.keys(REQUIREMENTS) as readonly RequirementId[];

/** Is `text` the number of one? */
export function isRequirementId(text: string): text is RequirementId {
  return Object.hasOwn(REQUIREMENTS, text);
}

/** The requirement of that number. */
export function requirementOf(id: RequirementId): Requirement {
  return REQUIREMENTS[id];
}
