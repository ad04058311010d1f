import { serviceNames } from '@agentlattice/contracts';
import type { Backends } from '../backends.js';
import { serviceEnvironment } from './service-environment.js';

const backends = {
  database: { of: () => ({ url: 'postgres://own', role: 'al_own' }) },
  nats: { url: () => 'nats://own' },
  redisUrl: undefined,
} as unknown as Backends;
const environmentOf = (service: (typeof serviceNames)[number], extra: NodeJS.ProcessEnv = {}) =>
  serviceEnvironment(service, backends, {
    dataDir: '/data',
    host: '127.0.0.1',
    port: 3000,
    healthPort: 3001,
    publicUrl: 'http://127.0.0.1:3000',
    channelSecretsKey: 'generated',
    extra,
  });

describe('the environment of a service', () => {
  it('holds the mail server and the key of secrets for the notifier alone', () => {
    const extra = {
      SMTP_URL: 'smtp://user:password@mail',
      EGRESS_ALLOW: '10.0.0.0/8',
      OIDC_CLIENT_SECRET: 'of the gateway alone',
    };
    for (const service of serviceNames) {
      const env = environmentOf(service, extra);
      const has = ['SMTP_URL', 'EGRESS_ALLOW', 'CHANNEL_SECRETS_KEY'].map((name) => name in env);
      expect(new Set(has)).toEqual(new Set([service === 'notifier']));
      expect('AL_PUBLIC_URL' in env).toBe(service === 'notifier' || service === 'gateway');
      expect('OIDC_CLIENT_SECRET' in env).toBe(service === 'gateway');
    }
  });

  it('has our own values where none, or an empty one, is given', () => {
    const own = { AL_PUBLIC_URL: 'http://127.0.0.1:3000', CHANNEL_SECRETS_KEY: 'generated' };
    expect(environmentOf('notifier')).toMatchObject(own);
    expect(environmentOf('notifier', { AL_PUBLIC_URL: '', CHANNEL_SECRETS_KEY: '' })).toMatchObject(own);
    expect(environmentOf('notifier', { AL_PUBLIC_URL: 'https://a.example' })).toMatchObject({
      AL_PUBLIC_URL: 'https://a.example',
    });
  });
});
