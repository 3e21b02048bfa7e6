/** Who the server is: its name and its signing keys, from its options or from what it remembers. */
import type { Chance } from '../chance.js';
import { UsageError } from '../errors.js';
import type { Identity } from '../federation/server-keys.js';
import { createSigningKeyFile, parseSigningKeyFile, type SigningKeys } from '../federation/signing-key.js';
import type { ServerName } from '../ids/server-name.js';
import type { Store } from '../store/store.js';

/**
 * The identity of the server `serverName`. Its key is the one given, else the one remembered, else a new one, which is
 * remembered from then on.
 *
 * @throws UsageError when the store is of a server of another name: its users, its tokens and what other servers know
 *   of it would all be wrong
 */
export async function openIdentity(
  store: Store,
  serverName: ServerName,
  given: SigningKeys | undefined,
  chance: Chance,
): Promise<Identity> {
  const remembered = await store.fact('server_name');
  if (remembered !== undefined && remembered !== serverName) {
    throw new UsageError(`the data is of the server ${remembered}, which cannot become ${serverName}`, {
      hint: `name it ${remembered}, or give each server data of its own`,
    });
  }
  await store.keepFact('server_name', serverName);
  return { serverName, keys: given ?? (await rememberedKeys(store, chance)) };
}

async function rememberedKeys(store: Store, chance: Chance): Promise<SigningKeys> {
  const remembered = await store.fact('signing_key');
  const text = remembered ?? createSigningKeyFile(chance);
  if (remembered === undefined) await store.keepFact('signing_key', text);
  return parseSigningKeyFile(text, 'the signing key that is remembered');
}
