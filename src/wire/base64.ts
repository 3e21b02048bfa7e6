/**
 * Unpadded standard base64 (Matrix v1.19, Appendices, "Unpadded Base64"): written without padding, read with
 * or without.
 */

/** Without padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/=+$/, '');
}

/** The bytes, or undefined when `text` is no base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  // atob would also take white space and wrong padding
  if (!BASE64.test(text)) return undefined;
  const bare = text.replace(/=+$/, '');
  if (bare.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(bare), (character) => character.charCodeAt(0));
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
