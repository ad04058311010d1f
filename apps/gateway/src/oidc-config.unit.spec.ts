import { readOidcConfig } from './oidc-config.js';

const env = {
  OIDC_ISSUER: 'https://login.example.com/realms/a',
  OIDC_CLIENT_ID: 'approvals',
  OIDC_CLIENT_SECRET: 'the secret of the client',
  OIDC_ROLE_MAPPING: '[{"group":"deciders","role":"member","groups":["sre"]}]',
};
const publicUrl = 'https://approvals.example.com';

describe('the configuration of OIDC', () => {
  it('is none, or whole', () => {
    expect(readOidcConfig({}, publicUrl)).toBeNull();
    expect(readOidcConfig({ OIDC_ISSUER: '' }, publicUrl)).toBeNull();
    expect(readOidcConfig(env, publicUrl)).toMatchObject({
      name: 'login.example.com',
      groupsClaim: 'groups',
      mapping: [{ group: 'deciders', orgId: null, role: 'member', groups: ['sre'] }],
      redirectUri: 'https://approvals.example.com/auth/oidc/callback',
    });
  });

  it.each<[Record<string, string>, string | undefined, string]>([
    [{ OIDC_CLIENT_SECRET: '' }, publicUrl, 'OIDC_CLIENT_SECRET must be set'],
    [
      { OIDC_CLIENT_ID: '', OIDC_ROLE_MAPPING: '' },
      publicUrl,
      'OIDC_CLIENT_ID and OIDC_ROLE_MAPPING must be set',
    ],
    [{ OIDC_ISSUER: 'http://login.example.com' }, publicUrl, 'OIDC_ISSUER must be a URL'],
    [{ OIDC_ISSUER: 'login' }, publicUrl, 'OIDC_ISSUER must be a URL'],
    [{ OIDC_ROLE_MAPPING: '{' }, publicUrl, 'OIDC_ROLE_MAPPING must be a JSON list'],
    [{ OIDC_ROLE_MAPPING: '[]' }, publicUrl, 'OIDC_ROLE_MAPPING must be a JSON list'],
    [{ OIDC_ROLE_MAPPING: '[{"group":"a","role":"owner"}]' }, publicUrl, '/0/role is wrong'],
    [{ OIDC_ROLE_MAPPING: '[{"group":"a","role":"admin","org_id":"x"}]' }, publicUrl, '/0/org_id is wrong'],
    [{ OIDC_SCOPE: 'email' }, publicUrl, 'OIDC_SCOPE must contain openid'],
    [{}, undefined, 'AL_PUBLIC_URL must be set'],
  ])('%j is refused in one sentence that tells no secret', (changed, url, sentence) => {
    const read = () => readOidcConfig({ ...env, ...changed }, url);
    expect(read).toThrow(sentence);
    expect(read).not.toThrow(env.OIDC_CLIENT_SECRET);
  });

  it('may be of this machine without TLS', () =>
    expect(readOidcConfig({ ...env, OIDC_ISSUER: 'http://127.0.0.1:4000' }, publicUrl)?.issuer.port).toBe(
      '4000',
    ));
});
