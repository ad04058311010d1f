import { isKnownHost } from './known-host.js';

const known = (host: string | undefined) => isKnownHost(host, 'https://al.example/path', ['al-gateway.svc']);

it.each([
  'localhost',
  'localhost:3000',
  'al.localhost:3000',
  '127.0.0.1:3000',
  '10.1.2.3',
  '[::1]:3000',
  'al.example',
  'AL.example:8443',
  'al-gateway.svc:3000',
])('%s is a name of the gateway', (host) => expect(known(host)).toBe(true));

it.each([
  undefined,
  '',
  'evil.example',
  'al.example.evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'evil.example@localhost',
  'evil.example/localhost',
  'al.example evil',
])('%s is none', (host) => expect(known(host)).toBe(false));

it('without a public URL only addresses, this machine and the given names are', () =>
  expect(['al.example', 'localhost'].map((host) => isKnownHost(host, undefined, []))).toEqual([false, true]));
