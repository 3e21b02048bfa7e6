/**
 * The guided tour as data: which commands it runs, in which order, and what it says before each.
 */

/** Where the tour's embedded homeserver is. */
export interface DemoServer {
  readonly homeserver: string;
  readonly serverName: string;
  readonly users: readonly DemoUser[];
}

export interface DemoUser {
  readonly userId: string;
  readonly passwordFile: string;
}

export interface DemoStep {
  /** One sentence, for a person. */
  readonly say: string;
  /** Arguments of `mx2s`. */
  readonly argv: readonly string[];
  /** What it is to end with; anything else ends the tour as a failure. */
  readonly exitCode: number;
}

/** Every step but the start of `serve`. The last one shows the server's answer as it came through `/sync`. */
export function demoSteps({ homeserver, serverName, users: [alice, bob] }: DemoServer): readonly DemoStep[] {
  const server = `@:${serverName}`;
  return [
    {
      say: 'Log in. The profile that this stores is what every later command uses.',
      argv: ['login', homeserver, ...credentials(alice)],
      exitCode: 0,
    },
    {
      say: 'A second profile, for another user.',
      argv: ['login', homeserver, '-p', 'bob', ...credentials(bob)],
      exitCode: 0,
    },
    { say: 'Which profiles are there?', argv: ['profiles'], exitCode: 0 },
    { say: 'Bob leaves. His profile goes with his session.', argv: ['logout', '-p', 'bob'], exitCode: 0 },
    { say: 'Make a profile the current one.', argv: ['profiles', 'use', 'default'], exitCode: 0 },
    { say: 'Who am I?', argv: ['whoami'], exitCode: 0 },
    {
      say: 'The user ID of a server has an empty localpart. Identifiers are graded by three grammars.',
      argv: ['validate-id', server, '--server'],
      exitCode: 0,
    },
    {
      say: 'What no grammar accepts is refused, with a reason; exit status 1.',
      argv: ['validate-id', '@:', '--invalid-only'],
      exitCode: 1,
    },
    {
      say: 'What would be sent, without sending it.',
      argv: ['send', server, '-t', 'org.example.hello', '-d', '{"hello":"server"}', '--dry-run'],
      exitCode: 0,
    },
    {
      say: 'Send, wait for the answer, and lose nothing else that comes meanwhile.',
      argv: ['request', server, '-t', 'org.example.hello', '-d', '{"hello":"server"}'],
      exitCode: 0,
    },
    {
      say: 'What does the homeserver know of MSC4246? Two of the requirements, looked at from outside.',
      argv: ['check', homeserver, '--only', 'R-10,R-13'],
      exitCode: 0,
    },
    {
      say: 'How many identifiers are validated in a second, here and now?',
      argv: ['bench', 'validate', '--count', '100000'],
      exitCode: 0,
    },
    {
      say: 'Send only. The homeserver says that it accepted the message; what becomes of it, it does not say.',
      argv: ['send', server, '-t', 'mx2s.ping', '-d', '{"nonce":"from the demo"}'],
      exitCode: 0,
    },
    {
      say: 'The answer, as it came through /sync:',
      argv: ['listen', '--count', '1', '--timeout', '20s'],
      exitCode: 0,
    },
  ];
}

function credentials(user: DemoUser | undefined): string[] {
  return user === undefined ? [] : ['--user', user.userId, '--password-file', user.passwordFile];
}
