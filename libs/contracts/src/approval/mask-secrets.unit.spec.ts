import { maskSecrets } from './mask-secrets.js';

const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;

describe('values that look like secrets', () => {
  it.each([
    ['token', { api_token: 'x' }, '/metadata/api_token'],
    ['secret', { ClientSecret: 'x' }, '/metadata/ClientSecret'],
    ['password', { db: { 'PASSWORD-old': 'x' } }, '/metadata/db/PASSWORD-old'],
    ['api key', { 'X-Api-Key': ['x'] }, '/metadata/X-Api-Key'],
    ['authorization', { headers: [{ Authorization: 'Basic x' }] }, '/metadata/headers/0/Authorization'],
    ['number', { access_token: 42 }, '/metadata/access_token'],
    ['nested object', { secrets: { a: 1 } }, '/metadata/secrets'],
    ['pointer escapes', { 'a/b~c': { password: 'x' } }, '/metadata/a~1b~0c/password'],
  ])('are found by the name of the member: %s', (_what, metadata, pointer) => {
    const { value, masked } = maskSecrets(metadata, '/metadata');
    expect(masked).toEqual([pointer]);
    expect(JSON.stringify(value)).toContain('null');
    expect(JSON.stringify(value)).not.toMatch(/"x"|42|Basic/);
  });

  it.each([
    ['al_op_0123456789abcdef'],
    ['al_agent_0123456789abcdef'],
    ['al_svc_0123456789abcdef'],
    [`AKIA${'A1'.repeat(8)}`],
    [`ghp_${'a1'.repeat(18)}`],
    [`github_pat_${'a1'.repeat(18)}`],
    ['xoxb-123456789012-abcdef'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nabc'],
    ['-----BEGIN PRIVATE KEY-----\nabc'],
    [jwt],
    [`curl -H "X: ${jwt}" https://example.com`],
  ])('are found by their form: %s', (text) => {
    expect(maskSecrets({ command: [text] }, '/metadata')).toEqual({
      value: { command: [null] },
      masked: ['/metadata/command/0'],
    });
  });

  it('in the name of a member take the name out too', () => {
    const { value, masked } = maskSecrets({ [jwt]: 1, plain: 2 }, '/metadata');
    expect(masked).toEqual(['/metadata/(hidden 1)']);
    expect(value).toEqual({ '(hidden 1)': null, plain: 2 });
  });

  it('are left out of nothing else: the value itself comes back', () => {
    const metadata = JSON.parse(
      '{"service":"api","has_password":true,"token":null,"note":"eyJ is how it begins","__proto__":{"a":1}}',
    ) as object;
    const { value, masked } = maskSecrets(metadata, '/metadata');
    expect(value).toBe(metadata);
    expect(masked).toEqual([]);
  });

  it('keep a member named __proto__ as a member', () => {
    const metadata = JSON.parse('{"__proto__":{"a":1},"password":"x"}') as object;
    const { value } = maskSecrets(metadata, '/metadata');
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"password":null}');
  });
});
