import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('says which evidence there is when it is asked for another', async () => {
  const script = fileURLToPath(new URL('./generate.js', import.meta.url));
  const finished = await new Promise((resolve) => {
    const child = execFile(process.execPath, [script, 'workers', 'toString'], (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
  expect(finished).toEqual({
    status: 2,
    stdout: '',
    stderr: 'there is no evidence toString, only wire-shapes, conformance, workers\n',
  });
});
