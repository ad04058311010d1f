import { isRecentEnough } from './nats-release.js';

it.each([
  ['nats-server: v2.12.3', true],
  ['nats-server: v2.15.1', true],
  ['3.0.0', true],
  ['nats-server: v2.12.2', false],
  ['2.9.10', false],
  ['1.99.99', false],
  ['no version', false],
])('a server that says "%s" may be used: %s', (version, usable) =>
  expect(isRecentEnough(version)).toBe(usable),
);
