/** The MLS example on real homeservers: its delivery service behind `mx2s gateway`, Alice on that Synapse, Bob on another. */
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { DeliveryService } from '../../examples/mls-delivery-service/delivery-service.js';
import { startHandlerServer } from '../../examples/mls-delivery-service/handler-server.js';
import { MlsClient } from '../../examples/mls-delivery-service/mls-client.js';
import { MESSAGE_TYPE, type RejectedContent } from '../../examples/mls-delivery-service/shapes.js';
import { play } from '../../examples/mls-delivery-service/story.js';
import { runBinary, startBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';
import type { Session } from './kit/matrix.js';
import { newSession, startSynapse } from './kit/synapse.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('the MLS delivery service behind mx2s gateway', () => {
  it('brings two clients of two Synapses to one epoch', { timeout: 120_000 }, async () => {
    if ('missing' in found) throw new Error(found.missing);
    const service = await startHandlerServer(new DeliveryService());
    onTestFinished(() => service.stop());
    const home = await makeTempDir();
    onTestFinished(() => home.remove());
    const synapse = await startSynapse(found.python, { serverUser: false });
    onTestFinished(() => synapse.stop());

    const { baseUrl, serverName } = synapse.address;
    const registration = join(home.path, 'mx2s.yaml');
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--registration', registration];
    expect(await runBinary(['gateway', 'init', ...place], { home: home.path })).toMatchObject({ code: 0 });
    await synapse.configure({ app_service_config_files: [registration] });
    await synapse.halt();
    await synapse.resume();
    const flags = ['--registration', registration, '--on', `${MESSAGE_TYPE}=${service.url}`];
    const gateway = startBinary(['gateway', ...flags], { home: home.path });
    onTestFinished(() => gateway.stop());
    await gateway.lineOf('stdout', /"ready":true/);

    const rejected: RejectedContent[] = [];
    const open = async (session: Session): Promise<MlsClient> => {
      const client = await MlsClient.open({
        ...session,
        homeserver: session.baseUrl,
        server: `@:${serverName}`,
        onRejected: (content) => rejected.push(content),
      });
      onTestFinished(() => client.close());
      return client;
    };
    const alice = await open(await newSession(synapse.address));
    const bob = await open(await newSession(found));
    const { epochs, secrets, heard } = await play(alice, bob, () => undefined);
    expect(epochs).toEqual([3n, 3n]);
    expect(secrets[1]).toBe(secrets[0]);
    expect(heard).toEqual(['Hello, Bob!']);
    expect(rejected).toEqual([{ reason: 'stale_epoch' }]);
  });
});
