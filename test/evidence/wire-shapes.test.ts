/** The evidence that is committed: it says what it is said to say, and people are shown all of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderWire } from './render-wire.js';
import { SHAPES } from './shapes.js';
import { evidenceFaults, type Sighting, type WireEvidence } from './wire-evidence.js';

const evidence = JSON.parse(read('wire-shapes.json')) as WireEvidence;

describe('docs/evidence/wire-shapes', () => {
  it('has the four shapes of the proposal, signed by who sent them', async () => {
    expect(await evidenceFaults(evidence)).toEqual([]);
  });

  it('has each of them between two of ours, and between ours and Synapse in both directions', () => {
    const software = (name: string) => evidence.servers[name]?.software;
    const routes = evidence.runs
      .filter(({ is_asked: isAsked, from, to }) => isAsked && from !== to)
      .map(({ from, to, seen }) => [software(from), software(to), seen.map(({ shape }) => shape)]);
    expect(routes).toEqual([
      ['mx2s serve', 'mx2s serve', SHAPES],
      ['Synapse', 'mx2s serve', SHAPES],
      ['mx2s serve', 'Synapse', SHAPES],
    ]);
  });

  it('has answers for one device, and for all', () => {
    const edus = evidence.runs.flatMap(({ seen }) => seen.filter(({ shape }) => shape === 'edu-from-server'));
    const devices = edus.map(({ body }) => /"messages":\{"[^"]+":\{"([^"]+)":/.exec(body)?.[1]);
    expect(new Set(devices.map((device) => (device === '*' ? 'all' : 'one')))).toEqual(
      new Set(['all', 'one']),
    );
  });

  it('shows people all that was recorded', () => {
    expect(read('wire-shapes.md')).toBe(renderWire(evidence));
  });
});

describe('evidence', () => {
  const forgeries: [what: string, forged: WireEvidence, fault: RegExp][] = [
    ['without runs', { ...evidence, runs: [] }, /^sync-event was never seen/m],
    [
      'without an EDU',
      withSeen((seen) => seen.filter(({ shape }) => shape !== 'edu-to-server')),
      /only .* was seen/,
    ],
    [
      'of other content',
      withBodies((body) => body.replaceAll('"value"', '"other"')),
      /content is not what was asked/,
    ],
    [
      'that was changed',
      withBodies((body) => body.replace('"message_id":"', '"message_id":"x')),
      /signature is bad/,
    ],
    ['that was reformatted', withBodies((body) => body.replace('{', '{ ')), /body is not canonical/],
    ['of other senders', withBodies((body) => body.replaceAll('"sender":"@:', '"sender":"@root:')), /sender/],
    [
      'of no transaction',
      withSeen((seen) => seen.map((each) => ({ ...each, target: '/' }))),
      /wrong endpoint/,
    ],
    ['of refusals', withSeen((seen) => seen.map((each) => ({ ...each, status: 403 }))), /answered 403/],
    ['of unknown servers', { ...evidence, servers: {} }, /the keys are of another server/],
    ['unsigned', withSeen((seen) => seen.map((each) => ({ ...each, headers: {} }))), /no X-Matrix header/],
    [
      'with a token',
      withSeen((seen) => seen.map((each) => ({ ...each, headers: { authorization: 'Bearer x' } }))),
      /secret/,
    ],
  ];
  it.each(forgeries)('%s is none', async (_what, forged, fault) => {
    expect((await evidenceFaults(forged)).join('\n')).toMatch(fault);
  });
});

function withSeen(change: (seen: readonly Sighting[]) => readonly Sighting[]): WireEvidence {
  return { ...evidence, runs: evidence.runs.map((run) => ({ ...run, seen: change(run.seen) })) };
}

function withBodies(change: (body: string) => string): WireEvidence {
  return withSeen((seen) => seen.map((sighting) => ({ ...sighting, body: change(sighting.body) })));
}

function read(name: string): string {
  return readFileSync(new URL(`../../docs/evidence/${name}`, import.meta.url), 'utf8');
}
