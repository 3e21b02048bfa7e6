/** `mx2s keygen` for people: what is public of the key that was made. */
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';

/** The JSON object of `keygen`. */
export interface KeygenResult {
  readonly v: 1;
  /** `ed25519:<version>`. */
  readonly key_id: string;
  /** Unpadded base64 of 32 bytes. */
  readonly public_key: string;
  /** Where the key is, as typed. */
  readonly file: string;
}

/** A line, without its end. */
export function renderKeygen({ key_id, public_key, file }: KeygenResult, palette: Palette): string {
  return `${palette.good('made')}  ${palette.name(key_id)}  ${public_key}  ${palette.faint(escapeText(file))}`;
}
