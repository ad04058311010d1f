import { isFound } from './search-requests.js';

const request = {
  action_type: 'db.migrate',
  agent_name: 'Schema-Agent',
  policy_name: 'Übernahme',
  metadata: JSON.stringify({
    table: 'Orders',
    rows: 512,
    nested: [{ path: 'a"b' }],
    api_token: 'hunter2',
    gone: null,
  }),
};

it.each([
  'MIGRATE', 'schema', 'übernahme', 'orders', '512', 'a"b', 'path', 'api_token',
])('%s is found', (text) => expect(isFound(text, request)).toBe(true)); // prettier-ignore

it.each([
  ['another text', 'deploy'],
  ['a masked value', 'hunter2'],
  ['the syntax of JSON', '":"'],
  ['null', 'null'],
])('%s is not found', (_what, text) => expect(isFound(text, request)).toBe(false));

it('erased or large metadata is not searched', () => {
  expect(isFound('orders', { ...request, metadata: null })).toBe(false);
  expect(isFound('schema', { ...request, metadata: null })).toBe(true);
});
