import { readGrantSettings } from './grant-signer.js';

describe('the settings of grants', () => {
  it('have a lifetime of 15 minutes unless GRANT_TTL says otherwise', () => {
    expect(readGrantSettings({}).grantTtlSeconds).toBe(900);
    expect(readGrantSettings({ GRANT_TTL: '90s' }).grantTtlSeconds).toBe(90);
  });

  it('are refused with the name of the faulty variable', () =>
    expect(() => readGrantSettings({ GRANT_TTL: 'soon' })).toThrow('The configuration is wrong: GRANT_TTL'));
});
