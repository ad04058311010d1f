import { readNotifierConfig } from './config.js';

const env = { AL_PUBLIC_URL: 'https://approvals.example.com/', CHANNEL_SECRETS_KEY: '0123456789abcdef' };

describe('the notifier’s configuration', () => {
  it('has defaults for all variables that are not set', () =>
    expect(readNotifierConfig(env)).toEqual({
      smtpUrl: undefined,
      mailFrom: 'AgentLattice Approvals <approvals@approvals.example.com>',
      egressAllow: [],
      otherChannelSecretsKeys: [],
      publicUrl: 'https://approvals.example.com',
      channelSecretsKey: '0123456789abcdef',
    }));

  it.each(['http://127.0.0.1:3000', 'http://[::1]:3000'])('names no address of %s in mails', (url) =>
    expect(readNotifierConfig({ ...env, AL_PUBLIC_URL: url }).mailFrom).toContain('<approvals@localhost>'),
  );

  it('takes networks and addresses to allow', () =>
    expect(readNotifierConfig({ ...env, EGRESS_ALLOW: '10.0.0.0/8, ::1,192.168.1.1 ' }).egressAllow).toEqual([
      '10.0.0.0/8',
      '::1/128',
      '192.168.1.1/32',
    ]));

  it.each([
    ['EGRESS_ALLOW', 'localhost'],
    ['EGRESS_ALLOW', '10.0.0.0/33'],
    ['EGRESS_ALLOW', '10.0.0.0/8/8'],
    ['EGRESS_ALLOW', '10.0.0.0/'],
    ['SMTP_URL', 'http://mail'],
    ['MAIL_FROM', 'nobody'],
    ['MAIL_FROM', 'a <a@example.com>\r\nBcc: b@example.com'],
    ['AL_PUBLIC_URL', 'approvals.example.com'],
    ['CHANNEL_SECRETS_KEY', 'short'],
  ])('refuses %s=%j in one sentence', (name, value) =>
    expect(() => readNotifierConfig({ ...env, [name]: value })).toThrow(
      new RegExp(`^The configuration is wrong: ${name} must [^\\n]+\\.$`),
    ),
  );
});
