import { typeid } from 'typeid-js';
import {
  at,
  given,
  person,
  voted,
  voteOf,
  wasOpened,
  withdraw,
  withdrawn,
} from '../../test/approval-scenario.js';
import { maxWithdrawals } from './decide-vote.js';

const [anna, ben] = [person(), person()];
const opened = wasOpened({ approvals_required: 2, denials_required: 2 });
/** A key of Ben's that Anna made and may have kept. */
const lent = { id: typeid('key').toString(), made_by: anna.memberId, shown_to: [anna.memberId] };
const own = { id: typeid('key').toString(), made_by: ben.memberId, shown_to: [ben.memberId] };
const back = withdrawn(ben, [0, 2]);
const gone = { ...back, data: { ...back.data, denials: { have: 0, need: 2 } } } as typeof back;

describe('withdrawing a vote', () => {
  it('is refused to the maker of the voter’s key, unless the vote was cast with a key that the maker holds as well', () => {
    const no = voted(voteOf(ben, { decision: 'deny', key: own }), [0, 2], [1, 2]);
    given(opened, no)
      .when(withdraw(ben, at(1_000), lent))
      .thenRefused('FORBIDDEN');
    given(opened, no)
      .when(withdraw(ben, at(1_000), own))
      .thenEvents(gone);
    for (const key of [own, lent])
      given(opened, voted(voteOf(ben, { key: lent }), [1, 2], [0, 2]))
        .when(withdraw(ben, at(1_000), key))
        .thenEvents(gone);
  });

  it('is always allowed where another holder of the key may have cast the vote', () => {
    const his = voted(voteOf(ben, { key: lent }), [1, 2], [0, 2]);
    const rounds = Array.from({ length: maxWithdrawals }, () => [his, gone]).flat();
    given(opened, ...rounds, his)
      .when(withdraw(ben, at(1_000), lent))
      .thenRefused('TOO_MANY_WITHDRAWALS');
    given(opened, ...rounds, his)
      .when(withdraw(ben, at(1_000), own))
      .thenEvents(gone);
  });
});
