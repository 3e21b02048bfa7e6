/**
 * A NATS server's decentralised accounts: an operator trusts an account, which trusts a user. Every test has its own.
 *
 * @see NATS's "Decentralized JWT Authentication", and its JWT claims, version 2
 */
import { nkeys } from '@nats-io/transport-node';

export interface NatsAccounts {
  /** The server's configuration: it takes in nobody but the user. */
  readonly configuration: string;
  /** The text of the user's credentials file. */
  readonly credentials: string;
  /** What must not show anywhere. */
  readonly seed: string;
}

export function makeNatsAccounts(): NatsAccounts {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const operatorJwt = jwt(operator, operator, { type: 'operator' });
  const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, conn: -1, wildcards: true };
  const accountJwt = jwt(operator, account, { type: 'account', limits });
  const userJwt = jwt(account, user, { type: 'user', subs: -1, data: -1, payload: -1 });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    configuration: [
      `operator: ${operatorJwt}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    ].join('\n'),
    credentials: [
      '-----BEGIN NATS USER JWT-----',
      userJwt,
      '------END NATS USER JWT------',
      '',
      '-----BEGIN USER NKEY SEED-----',
      seed,
      '------END USER NKEY SEED------',
      '',
    ].join('\n'),
    seed,
  };
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** What `issuer` says of `subject`. */
function jwt(issuer: KeyPair, subject: KeyPair, nats: Record<string, unknown>): string {
  const claims = {
    jti: subject.getPublicKey(),
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: String(nats['type']),
    nats: { ...nats, version: 2 },
  };
  const signed = [{ typ: 'JWT', alg: 'ed25519-nkey' }, claims].map(base64Url).join('.');
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

function base64Url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
