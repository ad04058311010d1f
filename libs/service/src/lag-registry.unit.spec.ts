import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import { LagRegistry } from './lag-registry.js';

describe('the lags of a service', () => {
  let lags: LagRegistry;
  let seconds: number | Error;
  const add = (more: object = {}) =>
    lags.add({
      kind: 'relay',
      name: 'relay of the gateway',
      attributes: { relay: 'gateway' },
      measure: () => (seconds instanceof Error ? Promise.reject(seconds) : Promise.resolve(seconds)),
      ...more,
    });
  const reasons = () => lags.faults().map(({ reason }) => reason);
  beforeEach(() => {
    lags = new LagRegistry(createLogger('test', 'silent'), 2);
    seconds = 0;
  });
  afterEach(() => lags.stop());

  it('are red above ten seconds, with the name and the seconds, and green again below five', async () => {
    add();
    expect(reasons()).toEqual([]);
    seconds = 11.4;
    expect(await eventually(() => lags.faults().at(0))).toEqual({
      name: 'relay of the gateway',
      reason: 'relay of the gateway is 11 s behind',
    });
    seconds = 7;
    await eventually(() => reasons()[0] === 'relay of the gateway is 7 s behind');
    seconds = 4;
    await eventually(() => reasons().length === 0);
    seconds = 7;
    let measured = 0;
    add({ measure: () => Promise.resolve(measured++ === 0 ? 7 : 7) });
    await eventually(() => measured > 2);
    expect(reasons()).toEqual([]);
  });

  it('grow while they cannot be measured, unless there was no lag before', async () => {
    seconds = 9.9;
    let turns = 0;
    add({ measure: () => (turns++ < 3 ? Promise.resolve(9.9) : Promise.reject(new Error('away'))) });
    const never = add({ name: 'never', measure: () => Promise.reject(new Error('away')) });
    await eventually(() => reasons().length === 1);
    expect(lags.faults()[0]?.name).toBe('relay of the gateway');
    await never();
  });

  it('may have their own limit and reason, and can be removed', async () => {
    seconds = 3;
    const end = add({ redSeconds: 2, reason: (n: number) => `nothing was written for ${String(n)} s` });
    await eventually(() => reasons()[0] === 'nothing was written for 3 s');
    await end();
    expect(reasons()).toEqual([]);
  });
});
