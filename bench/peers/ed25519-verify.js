// How many Ed25519 signatures Node verifies in a second, with nothing around it: `ed25519-verify.js COUNT BYTES [pool]`, BYTES
// the length of what is signed; on one thread, or on all of Node's thread pool.
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';

const [count, bytes] = process.argv.slice(2, 4).map(Number);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signed = Array.from({ length: 500 }, () => {
  const text = randomBytes(bytes);
  return { text, signature: sign(null, text, privateKey) };
});
const verifyAside = promisify(verify);

function verifyOnOneThread(times) {
  for (let n = 0; n < times; n += 1) {
    const { text, signature } = signed[n % signed.length];
    if (!verify(null, text, publicKey, signature)) throw new Error('a good signature is bad');
  }
}

async function verifyOnThePool(times) {
  let next = 0;
  const work = async () => {
    while (next < times) {
      const { text, signature } = signed[next++ % signed.length];
      if (!(await verifyAside(null, text, publicKey, signature))) throw new Error('a good signature is bad');
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

const verifyTimes = process.argv[4] === 'pool' ? verifyOnThePool : verifyOnOneThread;
await verifyTimes(count / 5); // warm
const start = performance.now();
await verifyTimes(count);
process.stdout.write(`${JSON.stringify({ per_second: (count * 1000) / (performance.now() - start) })}\n`);
