import { type Attempts, decideAttempt, forgetAfterMs, networkOf } from './sign-in-throttle.js';

const none: Attempts = { failures: 0, lastAt: 0 };
const now = 1_000_000_000;
/** Tries one after the other without success; a refused one waits as long as it is told. */
function tries(count: number, who: 'account' | 'address' = 'account') {
  let known = { account: none, address: none };
  let at = now;
  const waits: number[] = [];
  while (waits.length < count) {
    const { waitMs, next } = decideAttempt(known, at);
    waits.push(waitMs);
    // The other counter belongs to somebody else each time.
    known = who === 'account' ? { ...next, address: none } : { ...next, account: none };
    at += waitMs;
  }
  return waits;
}

describe('the limit of tries to sign in', () => {
  it('lets five failures of an account pass, then waits twice as long each time, up to a quarter of an hour', () => {
    const minutes = tries(20).map((ms) => ms / 60_000);
    expect(minutes).toEqual([0, 0, 0, 0, 0, 1, 0, 2, 0, 4, 0, 8, 0, 15, 0, 15, 0, 15, 0, 15]);
  });

  it('lets thirty failures of a network address pass', () => {
    expect(tries(31, 'address').slice(29)).toEqual([0, 60_000]);
  });

  it('a try counts at once, so that tries at the same time count each other', () => {
    const { next } = decideAttempt({ account: none, address: none }, now);
    expect(next).toEqual({ account: { failures: 1, lastAt: now }, address: { failures: 1, lastAt: now } });
  });

  it('a refused try does not prolong the pause', () => {
    const known = { account: { failures: 6, lastAt: now }, address: none };
    expect(decideAttempt(known, now + 1_000)).toEqual({ waitMs: 119_000, next: known });
  });

  it('failures are forgotten after an hour', () => {
    const known = { account: { failures: 100, lastAt: now }, address: none };
    expect(decideAttempt(known, now + forgetAfterMs).next.account.failures).toBe(1);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s counts for %s', (address, network) => expect(networkOf(address)).toBe(network));
});
