import { covers } from './capability.js';

it.each<[string, string, boolean]>([
  ['*', 'db.read', true],
  ['*', '*', true],
  ['db.read', 'db.read', true],
  ['db.read', 'db.Read', false],
  ['db.read', 'db.read.all', false],
  ['db.read', 'db.*', false],
  ['db.read', '*', false],
  ['db.*', 'db.read', true],
  ['db.*', 'db.read.all', true],
  ['db.*', 'db.*', true],
  ['db.*', 'db.read.*', true],
  ['db.*', 'db', false],
  ['db.*', 'dbs.read', false],
  ['db.*', 'db/x.read', false],
  ['db.*', '*', false],
  ['db.read.*', 'db.*', false],
])('%s covers %s: %s', (pattern, other, expected) => expect(covers(pattern, other)).toBe(expected));
