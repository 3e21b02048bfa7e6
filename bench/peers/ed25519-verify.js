// How many Ed25519 signatures one thread of Node verifies in a second, with nothing around it:
// `ed25519-verify.js COUNT BYTES`, BYTES the length of what is signed.
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';

const [count, bytes] = process.argv.slice(2).map(Number);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signed = Array.from({ length: 500 }, () => {
  const text = randomBytes(bytes);
  return { text, signature: sign(null, text, privateKey) };
});

const verifyTimes = (times) => {
  for (let n = 0; n < times; n += 1) {
    const { text, signature } = signed[n % signed.length];
    if (!verify(null, text, publicKey, signature)) throw new Error('a good signature is bad');
  }
};
verifyTimes(count / 5); // warm
const start = performance.now();
verifyTimes(count);
process.stdout.write(`${JSON.stringify({ per_second: (count * 1000) / (performance.now() - start) })}\n`);
