import {
  membersOfAuditEvents,
  membersOfDecision,
  membersOfStandingDecision,
  membersOfStatus,
  membersOfSubmission,
  type ShownMembers,
} from './shown-members.js';

const ada = 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3';
const bob = 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k4';
const names = new Map([[ada, 'Ada Novak']]);

/** Members that the rule does not look at are left out. */
const shown = <T>({ idsIn, withNames }: ShownMembers<T>, body: unknown) => ({
  ids: idsIn(body as T).filter((id) => id !== null),
  body: withNames(body as T, names),
});

describe('the members that an answer shows', () => {
  it('are named beside their ids in the status of a request', () => {
    expect(shown(membersOfStatus, { status: 'approved', resolved_by: ada })).toEqual({
      ids: [ada],
      body: { status: 'approved', resolved_by: ada, resolved_by_name: 'Ada Novak' },
    });
  });

  it('have no name when they are not members of the workspace, or when no person decided', () => {
    expect(shown(membersOfStatus, { resolved_by: bob }).body).toMatchObject({ resolved_by_name: null });
    expect(shown(membersOfStatus, { resolved_by: null })).toMatchObject({
      ids: [],
      body: { resolved_by_name: null },
    });
  });

  it('are named in the answer to a submission that was decided while it was held, and there alone', () => {
    expect(shown(membersOfSubmission, { status: 'executed', resolved_by: ada })).toEqual({
      ids: [ada],
      body: { status: 'executed', resolved_by: ada, resolved_by_name: 'Ada Novak' },
    });
    for (const body of [{ status: 'executed' }, { status: 'executed', resolved_by: null }])
      expect(shown(membersOfSubmission, body)).toEqual({ ids: [], body });
  });

  it('are named in votes and in the history of a request', () => {
    const request = {
      resolved_by: null,
      votes: [{ member_id: ada, decision: 'approve' }],
      history: [
        { type: 'approval.opened', operator: null },
        { type: 'approval.vote_cast', operator: { id: ada, via: 'cli' } },
      ],
    };
    const { ids, body } = shown(membersOfDecision, request);
    expect(ids).toEqual([ada, ada]);
    expect(body).toMatchObject({
      votes: [{ member_id: ada, member_name: 'Ada Novak' }],
      history: [{ operator: null }, { operator: { id: ada, name: 'Ada Novak', via: 'cli' } }],
    });
  });

  it('are none when a vote did not complete the request', () => {
    const pending = { status: 'pending', approvals: { have: 1, need: 2 } };
    expect(shown(membersOfDecision, pending)).toEqual({ ids: [], body: pending });
  });

  it('are named in the log', () => {
    const events = [
      { resolved_by: ada, operator: { id: ada, name: null, via: 'api' } },
      { resolved_by: null, operator: null },
    ];
    expect(shown(membersOfAuditEvents, { events, next_cursor: null })).toEqual({
      ids: [ada, ada],
      body: {
        events: [
          {
            resolved_by: ada,
            resolved_by_name: 'Ada Novak',
            operator: { id: ada, name: 'Ada Novak', via: 'api' },
          },
          { resolved_by: null, resolved_by_name: null, operator: null },
        ],
        next_cursor: null,
      },
    });
  });

  it('are named in a refusal with the standing decision; other refusals do not change', () => {
    expect(shown(membersOfStandingDecision, { decision: { resolved_by: ada } })).toEqual({
      ids: [ada],
      body: { decision: { resolved_by: ada, resolved_by_name: 'Ada Novak' } },
    });
    for (const other of [{ policy: { id: 'pol_1' } }, { decision: null }, { decision: 'x' }])
      expect(shown(membersOfStandingDecision, other)).toEqual({ ids: [], body: other });
  });
});
