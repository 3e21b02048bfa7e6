/**
 * Looking names up, and refusing addresses out of reach: whatever comes out of here may be connected to, and
 * nothing is looked up a second time.
 */
import { isIP } from 'node:net';
import { isWithinReach, type Reach } from './address.js';

/** DNS, as far as finding servers needs it. */
export interface Resolver {
  /**
   * The addresses of `host`, aliases followed; none if the name does not exist or has none.
   * @throws Error when no answer came
   */
  addresses(host: string): Promise<readonly string[]>;
  /**
   * The SRV records of `name`; none if there are none.
   * @throws Error when no answer came
   */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /**
   * Is `host` an alias (CNAME) of another name?
   * @throws Error when no answer came
   */
  isAlias(host: string): Promise<boolean>;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Why a server cannot be found. */
export interface LookUpFault {
  /** A clause, lower case, no full stop. */
  readonly fault: string;
  /** May it be different next time? */
  readonly isPassing: boolean;
  readonly hint?: string;
}

/** The addresses of `host` (a name, or an address) that are within reach, or why there are none. Never throws. */
export async function lookUpAddresses(
  host: string,
  resolver: Pick<Resolver, 'addresses'>,
  reach: Reach,
): Promise<readonly string[] | LookUpFault> {
  const addresses = isIP(host) === 0 ? await resolver.addresses(host).catch(() => undefined) : [host];
  if (addresses === undefined) return { fault: `DNS gave no answer for ${host}`, isPassing: true };
  const within = addresses.filter((address) => isWithinReach(address, reach));
  if (within.length > 0) return within;
  const [outside] = addresses;
  if (outside === undefined) return { fault: `DNS knows no address of ${host}`, isPassing: true };
  const subject = outside === host ? host : `${host} is ${outside}, which`;
  return {
    fault: `${subject} is no public address and not connected to`,
    isPassing: false,
    hint: 'for tests, --federation-insecure and --federation-ca allow such addresses',
  };
}

/** Was something found? */
export function isFault<Found extends object>(result: Found | LookUpFault): result is LookUpFault {
  return 'fault' in result;
}
