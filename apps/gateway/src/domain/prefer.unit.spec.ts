import { readPrefer } from './prefer.js';

it.each([
  [undefined, { grant: false, waitSeconds: 0 }],
  ['grant', { grant: true, waitSeconds: 0 }],
  ['wait=30, grant', { grant: true, waitSeconds: 30 }],
  ['respond-async, Wait = 5; x=1', { grant: false, waitSeconds: 5 }],
  ['wait=600', { grant: false, waitSeconds: 60 }],
  ['wait=-1', { grant: false, waitSeconds: 0 }],
  ['wait', { grant: false, waitSeconds: 0 }],
])('Prefer: %s', (header, wanted) => expect(readPrefer(header)).toEqual(wanted));
