import { HealthRegistry, Unhealthy } from './health-registry.js';

describe('the health registry', () => {
  it('names checks that throw, reject or do not answer', async () => {
    const health = new HealthRegistry(20);
    health.add('well', () => {});
    health.add('throws', () => {
      throw new Error('no');
    });
    health.add('rejects', () => Promise.reject(new Error('no')));
    health.add('silent', () => new Promise(() => {}));
    expect(await health.missing('local')).toEqual(['throws', 'rejects', 'silent']);
  });

  it('checks other services only in the full scope, and lags only beyond the local scope', async () => {
    const health = new HealthRegistry();
    health.add('lag', () => Promise.reject(new Error('behind')), 'service');
    health.add('policy-engine', () => Promise.reject(new Error('away')), 'full');
    expect(await health.missing('local')).toEqual([]);
    expect(await health.missing('service')).toEqual(['lag']);
    expect(await health.missing('full')).toEqual(['lag', 'policy-engine']);
  });

  it('shows the reasons of a check, and nothing of a driver’s error', async () => {
    const health = new HealthRegistry(20);
    const relay = { name: 'relay of the gateway', reason: 'relay of the gateway is 12 s behind' };
    health.add('lag', () => Promise.reject(new Unhealthy([relay])), 'service');
    health.add('postgres', () => Promise.reject(new Error('password of al_gateway at 10.0.0.1')));
    health.add('nats', () => new Promise(() => {}));
    expect(await health.faults('full')).toEqual([
      { ...relay, scope: 'service', degraded: true },
      { name: 'postgres', reason: 'postgres is not well', scope: 'local' },
      { name: 'nats', reason: 'nats does not answer in time', scope: 'local' },
    ]);
  });
});
