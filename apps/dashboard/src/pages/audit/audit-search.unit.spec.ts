import { instantOf, isSearched, localTimeOf, readAuditSearch } from './audit-search.js';

describe('the search of the log in the address', () => {
  it('takes every filter of the API, and leaves the rest out', () => {
    const search = {
      approval_id: 'apr_1',
      agent_id: 'agt_1',
      action_type: 'deploy.production',
      type: 'approval.approved',
      decision: 'approved',
      operator_id: 'mbr_1',
      policy_id: 'pol_1',
      from_time: '2026-11-01T00:00:00.000Z',
      to_time: '2026-12-01T00:00:00.000Z',
    };
    expect(readAuditSearch({ ...search, cursor: 'x', other: 1 })).toEqual(search);
    expect(isSearched(readAuditSearch({ cursor: 'x' }))).toBe(false);
  });

  it('leaves out times that are none, and empty filters', () =>
    expect(readAuditSearch({ from_time: 'yesterday', type: '', decision: ['x'] })).toEqual({}));

  it('converts local times there and back', () => {
    const local = localTimeOf('2026-11-01T10:30:00.000Z');
    expect(instantOf(local)).toBe('2026-11-01T10:30:00.000Z');
    expect([localTimeOf(undefined), instantOf(''), instantOf('x')]).toEqual(['', undefined, undefined]);
  });
});
