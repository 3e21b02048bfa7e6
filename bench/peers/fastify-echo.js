// What a server costs that is routed by fastify and does nothing else: each message is answered with its own body.
import { fastify } from 'fastify';

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.put('/_matrix/client/v3/sendToDevice/:eventType/:txnId', async (request, reply) => {
  reply.header('content-type', 'application/json');
  return request.body;
});
const homeserver = await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify({ ready: true, homeserver })}\n`);
