import { deciderSpec } from '@agentlattice/decider';
import { sessionDecider, timesOfNewSession } from './session.js';

const ids = { session_id: 'ses_1', member_id: 'mbr_1' };
const given = deciderSpec(sessionDecider);
const start = { type: 'StartSession', id: 'ses_1', memberId: 'mbr_1', method: 'password' } as const;
const signedIn = { type: 'session.signed_in', data: { ...ids, method: 'password' } } as const;
const signedOut = { type: 'session.signed_out', data: ids } as const;
const revoked = { type: 'session.revoked', data: { ...ids, reason: 'revoked' } } as const;

describe('a session', () => {
  it('begins once', () => {
    given().when(start).thenEvents(signedIn);
    given(signedIn).when(start).thenNothing();
  });
  it('ends once, by its person or by a change', () => {
    given(signedIn).when({ type: 'SignOut' }).thenEvents(signedOut);
    given(signedIn).when({ type: 'RevokeSession', reason: 'revoked' }).thenEvents(revoked);
    for (const end of [signedOut, revoked]) {
      given(signedIn, end).when({ type: 'SignOut' }).thenNothing();
      given(signedIn, end).when({ type: 'RevokeSession', reason: 'member_removed' }).thenNothing();
    }
  });
  it('that never began cannot end', () => given().when({ type: 'SignOut' }).thenRefused('NOT_FOUND'));

  it('lives as long as it is used, up to the end of its life', () => {
    const life = { idleMs: 8, mostMs: 24 };
    expect(timesOfNewSession(100, life, null)).toEqual({ expiresAt: 108, endsAt: 124 });
    expect(timesOfNewSession(120, life, 124)).toEqual({ expiresAt: 124, endsAt: 124 });
  });
});
