import { describe, expect, it } from 'vitest';
import { wellKnownFetch } from '../../src/federation/fetch-well-known.js';
import type { Reach } from '../../src/federation/address.js';
import type { Answer, HttpRequest } from '../../src/http/request.js';
import type { Transport } from '../../src/http/transport.js';
import { TurnedClock } from '../http/turned-clock.js';

const FILE = { status: 200, headers: {}, body: '{"m.server":"m.example.org"}' };
const PUBLIC = '8.8.8.8';

describe('wellKnownFetch', () => {
  it('asks over https, at an address that was looked up', async () => {
    const { fetch, sent } = world({ 'https://a.example/.well-known/matrix/server': FILE });
    expect(await fetch('a.example')).toMatchObject(FILE);
    expect(sent).toEqual([
      {
        method: 'GET',
        url: 'https://a.example/.well-known/matrix/server',
        address: PUBLIC,
        redirects: 'none',
        timeoutMs: 5000,
      },
    ]);
  });

  it('follows redirects to other hosts, paths and ports, and looks up each', async () => {
    const { fetch, sent } = world({
      'https://a.example/.well-known/matrix/server': redirect('/moved'),
      'https://a.example/moved': redirect('https://b.example:8443/x?y=1'),
      'https://b.example:8443/x?y=1': redirect('https://[2606:4700::1111]/z'),
      'https://[2606:4700::1111]/z': FILE,
    });
    expect(await fetch('a.example')).toMatchObject(FILE);
    expect(sent.map(({ address }) => address)).toEqual([PUBLIC, PUBLIC, PUBLIC, '2606:4700::1111']);
  });

  it.each([
    [
      'a name within the network',
      'https://inside.example/',
      'inside.example is 10.0.0.1, which is no public address',
    ],
    ['an address within the network', 'https://169.254.169.254/', '169.254.169.254 is no public address'],
    ['loopback', 'https://[::1]:8448/', '::1 is no public address'],
    ['a name that is none', 'https://nowhere.example/', 'DNS knows no address of nowhere.example'],
    ['plain http', 'http://b.example/', 'it redirects to what is no https URL'],
    ['another scheme', 'file:///etc/passwd', 'it redirects to what is no https URL'],
    ['what is no URL', 'https://', 'it redirects to what is no https URL'],
    ['a URL with a password', 'https://me:secret@b.example/', 'it redirects to a URL with a password'],
  ])('does not follow a redirect to %s', async (_what, location, reason) => {
    const { fetch, sent } = world({ 'https://a.example/.well-known/matrix/server': redirect(location) });
    await expect(fetch('a.example')).rejects.toThrow(reason);
    expect(sent).toHaveLength(1);
  });

  it('goes round no circle', async () => {
    const { fetch, sent } = world({
      'https://a.example/.well-known/matrix/server': redirect('/.well-known/matrix/server'),
    });
    await expect(fetch('a.example')).rejects.toThrow(
      'GET https://a.example/.well-known/matrix/server: it redirects too often',
    );
    expect(sent).toHaveLength(6);
  });

  it('has 5 s for all of it', async () => {
    const clock = new TurnedClock();
    const { fetch, sent } = world(
      {
        'https://a.example/.well-known/matrix/server': redirect('/1'),
        'https://a.example/1': redirect('/2'),
        'https://a.example/2': FILE,
      },
      { clock, tookMs: 3000 },
    );
    await expect(fetch('a.example')).rejects.toThrow('it takes too long');
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 2000]);
  });

  it('may be allowed to ask this machine', async () => {
    const answers = { 'https://localhost/.well-known/matrix/server': FILE };
    await expect(world(answers).fetch('localhost')).rejects.toThrow('not connected to');
    expect(await world(answers, { reach: 'loopback' }).fetch('localhost')).toMatchObject(FILE);
  });
});

function redirect(location: string): Pick<Answer, 'status' | 'headers' | 'body'> {
  return { status: 302, headers: { location }, body: '' };
}

function world(
  answers: Readonly<Record<string, Pick<Answer, 'status' | 'headers' | 'body'>>>,
  { reach = 'public' as Reach, clock = new TurnedClock(), tookMs = 0 } = {},
) {
  const sent: HttpRequest[] = [];
  const transport: Transport = {
    async exchange(request) {
      sent.push(request);
      await clock.sleep(tookMs);
      const answer = answers[request.url];
      if (answer === undefined) throw new Error(`nothing at ${request.url}`);
      return { ...answer, url: request.url };
    },
    close: () => Promise.resolve(),
  };
  const addresses: Readonly<Record<string, string[]>> = {
    'a.example': [PUBLIC],
    'b.example': [PUBLIC],
    'inside.example': ['10.0.0.1'],
    localhost: ['127.0.0.1'],
  };
  const resolver = { addresses: (host: string) => Promise.resolve(addresses[host] ?? []) };
  return { fetch: wellKnownFetch({ transport, resolver, reach, clock }), sent };
}
