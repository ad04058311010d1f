import { isBackendAway } from './is-backend-away.js';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

it.each([
  [withCode('ECONNREFUSED'), true],
  [withCode('57P01'), true],
  [withCode('08006'), true],
  [withCode('53300'), true],
  [withCode('53100'), true],
  [withCode('58030'), true],
  [withCode('EHOSTUNREACH'), true],
  // The message does not count: the event store's connections give such an error a code.
  [new Error('Connection terminated unexpectedly'), false],
  [new Error('timeout exceeded when trying to connect'), false],
  [withCode('55P03'), true],
  [withCode('57014'), true],
  [withCode('23505'), false],
  [withCode('42501'), false],
  [new TypeError('x is not a function'), false],
  ['ECONNREFUSED', false],
])('%s means an unreachable server: %s', (error, away) => expect(isBackendAway(error)).toBe(away));
