import { heartbeatWantedForMs, ledgerHeartbeatMs } from '@agentlattice/contracts';
import { jest } from '@jest/globals';
import { Heartbeat } from './heartbeat.js';

describe('the heartbeat of the writer', () => {
  let beats = 0;
  const beatsIn = (ms: number) => {
    const before = beats;
    jest.advanceTimersByTime(ms);
    return beats - before;
  };
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is sent until the first gateway asks, and then only while gateways ask', () => {
    const heartbeat = new Heartbeat(() => (beats += 1));
    heartbeat.start();
    expect(beats).toBe(1);
    expect(beatsIn(60_000)).toBe(60_000 / ledgerHeartbeatMs);
    heartbeat.want();
    expect(beatsIn(heartbeatWantedForMs)).toBe(heartbeatWantedForMs / ledgerHeartbeatMs);
    expect(beatsIn(60_000)).toBe(0);
    const before = beats;
    heartbeat.want();
    expect(beats).toBe(before + 1);
    expect(beatsIn(1_000)).toBe(1_000 / ledgerHeartbeatMs);
    heartbeat.stop();
    heartbeat.want();
    expect(beatsIn(60_000)).toBe(0);
  });
});
