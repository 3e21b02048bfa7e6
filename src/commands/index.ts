/** The list of subcommands: one line registers one. `help` shows them in this order. */
import type { CommandEntry } from './define.js';

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'login',
    summary: 'log in to a homeserver and store the session as a profile',
    load: async () => (await import('./login.js')).login,
  },
  {
    name: 'logout',
    summary: 'end the session of a profile and forget it',
    load: async () => (await import('./logout.js')).logout,
  },
  {
    name: 'whoami',
    summary: 'ask the homeserver whom the access token in use stands for',
    load: async () => (await import('./whoami.js')).whoami,
  },
  {
    name: 'profiles',
    summary: 'list the stored profiles, or make one the current one',
    load: async () => (await import('./profiles.js')).profiles,
  },
  {
    name: 'send',
    summary: 'send a to-device message to a server or a user',
    load: async () => (await import('./send.js')).send,
  },
  {
    name: 'listen',
    summary: 'print to-device events as they come',
    load: async () => (await import('./listen.js')).listen,
  },
  {
    name: 'request',
    summary: 'send a message, wait for the answer and print it',
    load: async () => (await import('./request.js')).request,
  },
  {
    name: 'validate-id',
    summary: 'say whether user IDs, server names and device IDs are valid, and by which grammar',
    load: async () => (await import('./validate-id.js')).validateId,
  },
  {
    name: 'serve',
    summary: 'an embedded homeserver for development and CI',
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'gateway',
    summary: 'give an existing homeserver its server user',
    load: async () => (await import('./gateway.js')).gateway,
  },
  {
    name: 'check',
    summary: 'say which parts of MSC4246 a homeserver has, requirement by requirement',
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'bench',
    summary: 'how fast a homeserver accepts and delivers, and how fast this program is',
    load: async () => (await import('./bench.js')).bench,
  },
  {
    name: 'keygen',
    summary: 'make the signing key of a server',
    load: async () => (await import('./keygen.js')).keygen,
  },
  {
    name: 'demo',
    summary: 'the main job from nothing, with real output of every command',
    load: async () => (await import('./demo.js')).demo,
  },
  {
    name: 'schema',
    summary: 'the JSON Schema of what a command prints',
    load: async () => (await import('./schema.js')).schema,
  },
  {
    name: 'completion',
    summary: 'a script for bash, zsh or fish that completes the command line',
    load: async () => (await import('./completion.js')).completionOf(COMMANDS),
  },
  {
    name: 'exit-codes',
    summary: 'the exit statuses and error codes (also: help exit-codes)',
    hidden: true,
    load: async () => (await import('./exit-codes.js')).exitCodes,
  },
];
