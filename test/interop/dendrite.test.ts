/** A real Dendrite. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDendrite, type Dendrite } from './kit/dendrite.js';
import { dendriteProgram } from './kit/dendrite-program.js';
import { newSession } from './kit/homeserver.js';
import { receive, sendToDevice } from './kit/matrix.js';

const program = await dendriteProgram(process.env);

describe.runIf(!('missing' in program))('mx2s and Dendrite', () => {
  let dendrite: Dendrite;
  beforeAll(async () => {
    dendrite = await startDendrite(program);
  });
  afterAll(() => dendrite.stop());

  it('has users who send to each other', async () => {
    const [alice, bob] = [await newSession(dendrite.address), await newSession(dendrite.address)];
    await sendToDevice(alice, bob, 'org.example.event', { n: 1 });
    expect(await receive(bob, 1)).toEqual([
      { sender: alice.userId, type: 'org.example.event', content: { n: 1 } },
    ]);
  });
});
