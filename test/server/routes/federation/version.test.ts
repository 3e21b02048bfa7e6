import { expect, it } from 'vitest';
import { VERSION } from '../../../../src/version.js';
import { openTestServer } from '../../kit.js';

it('says what server this is, to anybody', async () => {
  const server = await openTestServer();
  const reply = await server.call('GET', '/_matrix/federation/v1/version');
  expect([reply.status, reply.json]).toEqual([200, { server: { name: 'mx2s', version: VERSION } }]);
});
