import { type ApprovalTerms, type OperatorRole, Refused, type Vote } from '@agentlattice/contracts';
import type { KnownApproval } from './approval.js';
import { holdersOf } from './key-holders.js';

/** A person as this service knows it. */
export interface Person {
  readonly memberId: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
  /** When it became a member. */
  readonly since: Date;
}

/** As much of a request as says who may decide it. */
export type Decidable = Pick<KnownApproval, 'terms' | 'requestedAt' | 'askedWithKey'> & {
  readonly subject: { readonly agent: Pick<KnownApproval['subject']['agent'], 'owner_member_id'> };
};

/**
 * Whether this person may decide this request (design §3.4, decisions §3).
 * @throws Refused FORBIDDEN or SELF_APPROVAL
 */
export function checkMayDecide(state: KnownApproval, person: Person): void {
  const refusal = whyNot(state, person);
  if (refusal !== null) throw refusal;
}

export function whyNot(
  { terms, subject, requestedAt, askedWithKey }: Decidable,
  person: Person,
): Refused | null {
  const { owner_member_id: owner } = subject.agent;
  if (person.role === 'viewer') return new Refused('FORBIDDEN', 'a viewer decides nothing');
  if (person.since.getTime() > Date.parse(requestedAt))
    return new Refused('FORBIDDEN', 'you became a member after this request was made');
  if (terms.approver_groups.length > 0 && groupsUnder(terms, person.groups).length === 0)
    return new Refused(
      'FORBIDDEN',
      `only members of ${terms.approver_groups.map(({ group }) => `"${group}"`).join(', ')} decide this request`,
    );
  if (!terms.separation_of_duties) return null;
  if (owner === person.memberId)
    return new Refused('SELF_APPROVAL', 'who owns the agent does not decide its requests');
  if (holdersOf(askedWithKey).includes(person.memberId))
    return new Refused(
      'SELF_APPROVAL',
      'you made or were shown the key that this was asked with, and the policy separates who asks from who decides',
    );
  if (owner !== null) return null;
  if (person.role !== 'admin')
    return new Refused('FORBIDDEN', 'the agent has no owner, so only an administrator decides its requests');
  if (terms.policy_author === undefined)
    return new Refused(
      'FORBIDDEN',
      'the agent has no owner, and who wrote this version of the policy is not known: let a person write it anew',
    );
  if (person.memberId === terms.policy_author)
    return new Refused(
      'FORBIDDEN',
      'the agent has no owner, so who wrote this version of the policy does not decide its requests',
    );
  return null;
}

/** Of the approver groups those that the person is in. */
export const groupsUnder = (terms: ApprovalTerms, groups: readonly string[]): string[] =>
  terms.approver_groups.map(({ group }) => group).filter((group) => groups.includes(group));

/**
 * Votes that still stand when other terms begin to govern. Who might not vote any more loses the vote and may be asked
 * again; who approved another policy version for ever approved this request once.
 */
export function votesUnder(
  terms: ApprovalTerms,
  {
    terms: before,
    votes,
    subject: { agent },
    askedWithKey,
  }: Pick<KnownApproval, 'terms' | 'votes' | 'subject' | 'askedWithKey'>,
): Vote[] {
  const owner = agent.owner_member_id;
  // Nobody knows any more which of them were administrators, or who wrote what governs now.
  const unknown = !before.separation_of_duties || terms.policy_author === undefined;
  if (terms.separation_of_duties && owner === null && unknown) return [];
  const barred = terms.separation_of_duties ? [owner ?? terms.policy_author, ...holdersOf(askedWithKey)] : [];
  return votes
    .map((vote) => ({ ...vote, groups: groupsUnder(terms, vote.groups), forever_for: null }))
    .filter((vote) => terms.approver_groups.length === 0 || vote.groups.length > 0)
    .filter((vote) => !barred.includes(vote.member_id));
}
