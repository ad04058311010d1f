import { readConfiguration } from './configuration.js';
import { StartRefused } from './start-refused.js';

describe('the configuration of a start', () => {
  it('is empty by default, and an empty variable counts as unset', () => {
    for (const env of [
      {},
      { PORT: '', DATABASE_URL: '', NATS_URL: '', REDIS_URL: '', HOST: '', AL_DATA_DIR: '' },
    ])
      expect(readConfiguration(env)).toEqual({
        dataDir: expect.stringMatching(/\.agentlattice$/),
        host: '127.0.0.1',
        port: undefined,
        database: undefined,
        nats: undefined,
        redisUrl: undefined,
      });
  });

  it.each([
    [{ PORT: 'abc' }, 'PORT'],
    [{ PORT: '0' }, 'PORT'],
    [{ PORT: '65536' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://u:hidden@h/d' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'hidden' }, 'DATABASE_URL'],
    [{ NATS_URL: 'http://hidden' }, 'NATS_URL'],
    [{ REDIS_URL: 'hidden' }, 'REDIS_URL'],
    [{ NATS_URL_GATEWAY: 'nats://g:hidden@h' }, 'NATS_URL is not'],
    [{ DATABASE_URL: 'postgres://h/d', DATABASE_URL_POLICY_ENGINE: 'x' }, 'DATABASE_URL_POLICY_ENGINE'],
    [{ NATS_URL: 'nats://h', NATS_URL_GATEWAY: 'nats://g@h' }, 'NATS_URL_POLICY_ENGINE'],
  ])('that is wrong (%j) is refused by the name of the variable, without its value', (env, name) => {
    expect(() => readConfiguration(env)).toThrow(StartRefused);
    expect(() => readConfiguration(env)).toThrow(name);
    expect(() => readConfiguration(env)).not.toThrow('hidden');
  });

  it('accepts external servers with a URL per service', () => {
    const services = ['GATEWAY', 'POLICY_ENGINE', 'APPROVAL_SERVICE', 'NOTIFIER', 'AUDIT_LEDGER'];
    const own = Object.fromEntries(services.map((s) => [`NATS_URL_${s}`, `nats://${s}@h:4222`]));
    const { nats } = readConfiguration({ NATS_URL: 'nats://admin@h:4222', ...own });
    expect(nats?.services['policy-engine']).toBe('nats://POLICY_ENGINE@h:4222');
  });
});
