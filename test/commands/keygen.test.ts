import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSigningKeyFile } from '../../src/federation/signing-key.js';
import { runCli } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

describe('mx2s keygen', () => {
  let dir: TempDir;
  let file: string;
  beforeEach(async () => {
    dir = await makeTempDir();
    file = join(dir.path, 'example.org.signing.key');
  });
  afterEach(() => dir.remove());

  it("writes a key in Synapse's format, for its owner alone, and prints what is public of it", async () => {
    const { code, stdout, stderr } = await runCli(['keygen', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const [key] = parseSigningKeyFile(text, file);
    expect(JSON.parse(stdout)).toEqual({ v: 1, key_id: key.keyId, public_key: key.publicKey, file });
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['v', 'key_id', 'public_key', 'file']);
  });

  it('never prints the seed', async () => {
    const { stdout, stderr } = await runCli(['keygen', file, '--verbose']);
    const [, , seed = ''] = (await readFile(file, 'utf8')).trim().split(' ');
    expect(seed).toHaveLength(43);
    expect(stdout + stderr).not.toContain(seed);
  });

  it('says it in a line for people', async () => {
    const { stdout } = await runCli(['keygen', file, '--text']);
    expect(stdout).toMatch(/^made {2}ed25519:a_[A-Za-z]{4} {2}[A-Za-z0-9+/]{43} {2}.*signing\.key\n$/);
  });

  it('makes another key each time, and never overwrites one', async () => {
    await runCli(['keygen', file]);
    const before = await readFile(file, 'utf8');
    const again = await runCli(['keygen', file]);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({
      v: 1,
      error: { code: 'unreadable_file', message: `${file} exists and is not overwritten` },
    });
    expect(await readFile(file, 'utf8')).toBe(before);

    await runCli(['keygen', `${file}.2`]);
    expect(await readFile(`${file}.2`, 'utf8')).not.toBe(before);
  });

  it.each([[[]], [['']], [['a', 'b']]])('wants one file, not %j', async (args) => {
    expect(await runCli(['keygen', ...args])).toMatchObject({ code: 2, stdout: '' });
  });
});
