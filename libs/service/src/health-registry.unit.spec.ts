import { HealthRegistry } from './health-registry.js';

describe('the health registry', () => {
  it('names what throws, rejects or does not answer', async () => {
    const health = new HealthRegistry(20);
    health.add('well', () => {});
    health.add('throws', () => {
      throw new Error('no');
    });
    health.add('rejects', () => Promise.reject(new Error('no')));
    health.add('silent', () => new Promise(() => {}));
    expect(await health.missing('local')).toEqual(['throws', 'rejects', 'silent']);
  });

  it('asks other services only for the full answer', async () => {
    const health = new HealthRegistry();
    health.add('policy-engine', () => Promise.reject(new Error('away')), 'full');
    expect(await health.missing('local')).toEqual([]);
    expect(await health.missing('full')).toEqual(['policy-engine']);
  });
});
