import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { opened, person, voted, voteOf, wasOpened } from '../../test/approval-scenario.js';
import { readApprovalEvent, replayApproval } from './replay-approval.js';

const golden = (release: string) =>
  JSON.parse(
    readFileSync(
      join(
        import.meta.dirname,
        `../../../../libs/contracts/golden/released/${release}/approval.policy_changed.v1.json`,
      ),
      'utf8',
    ),
  ) as { type: string; schema_version: number; data: object };
const history = (...events: { type: string; data: object; schema_version?: number }[]) => [
  wasOpened(),
  ...events,
];

describe('a stored history', () => {
  it('is replayed if each event has a known type, version and form', () =>
    expect(replayApproval(history(voted(voteOf(person()), [1, 2])))).toMatchObject({ status: 'pending' }));

  it.each([
    [
      'an unknown type',
      { type: 'approval.teleported', data: {} },
      /the event type approval.teleported is unknown/,
    ],
    ['the type of another stream', { type: 'policy.created', data: {} }, /another stream: policy.created/],
    ['a member of Object as type', { type: 'toString', data: {} }, /another stream: toString/],
    ['an unknown version', { ...wasOpened(), schema_version: 2 }, /approval.opened has no version 2/],
    [
      'a missing member',
      { type: 'approval.cancelled', data: {} },
      /approval.cancelled version 2 has another form/,
    ],
    [
      'a member too many',
      { type: 'approval.opened', data: { ...opened, approved: true } },
      /approval.opened version 1 has another form/,
    ],
  ])('stops at an event with %s and names it', (_what, event, message) => {
    expect(() => replayApproval(history(event))).toThrow(message);
    expect(() => replayApproval([event])).toThrow(message);
  });

  it('stops if it does not begin with the opening', () =>
    expect(() => replayApproval([voted(voteOf(person()), [1, 2])])).toThrow(
      /begins with approval.vote_cast/,
    ));

  it('is the same whether a released event contains the remaining votes or not', () => {
    for (const release of ['0.2.0', '0.5.0'])
      expect(readApprovalEvent(golden(release))).toMatchObject({ type: 'approval.policy_changed' });
  });
});
