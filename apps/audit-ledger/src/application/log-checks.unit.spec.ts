import { SteppedClock } from '../../test/stepped-clock.js';
import { LogChecks } from './log-checks.js';

describe('checks of logs', () => {
  const clock = new SteppedClock();
  const began: { orgId: string; at: number }[] = [];
  let open = 0;
  let mostOpen = 0;
  const checks = new LogChecks({
    pool: { query: () => Promise.resolve({ rows: [{ size: '1' }] }) } as never,
    checkpoints: {
      end: async (orgId: string) => {
        began.push({ orgId, at: clock.now() });
        mostOpen = Math.max(mostOpen, ++open);
        await clock.after(100);
        open--;
        return null;
      },
    } as never,
    archive: {} as never,
    keys: { trusted: () => [] },
    now: () => clock.now(),
    clock,
  });

  it('run one at a time with pauses, and a call never gets the result of an earlier check', async () => {
    const asked = ['org_1', 'org_2'].map((orgId) => checks.verify(orgId, false));
    await clock.pass(50);
    const late = [1, 2, 3].map(() => checks.verify('org_1', false));
    await clock.pass(10_000);
    expect(await Promise.all([...asked, ...late])).toHaveLength(5);
    expect(began).toEqual([
      { orgId: 'org_1', at: 0 },
      { orgId: 'org_2', at: 400 },
      { orgId: 'org_1', at: 800 },
    ]);
    expect(mostOpen).toBe(1);
  });
});
