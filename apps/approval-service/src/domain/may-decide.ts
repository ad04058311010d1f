import {
  type ApprovalTerms,
  type CannotDecideCode,
  type KeyRef,
  type OperatorRole,
  Refused,
  type Vote,
} from '@agentlattice/contracts';
import { holdersOf, possibleActors } from './key-holders.js';

/** A person as this service knows it. */
export interface Person {
  readonly memberId: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
  /** When the person became a member. */
  readonly since: Date;
}

/** The parts of a request that determine its approvers. */
export interface Decidable {
  readonly terms: ApprovalTerms;
  readonly requestedAt: string;
  /** Null where unknown. */
  readonly askedWithKey: KeyRef | null;
  readonly subject: { readonly agent: { readonly owner_member_id: string | null } };
}

/** The refusal of a vote that this person may not cast, with its reason for programs. */
export class MayNotDecide extends Refused<'FORBIDDEN' | 'SELF_APPROVAL'> {
  constructor(
    code: 'FORBIDDEN' | 'SELF_APPROVAL',
    readonly reason: CannotDecideCode,
    detail: string,
  ) {
    super(code, detail);
  }
}

/**
 * Why this person may not decide this request with this key (design §3.4, decisions §3); null if the person may.
 * @param key null: whether the person may decide with a key of their own
 */
export function whyNot(
  { terms, subject, requestedAt, askedWithKey }: Decidable,
  person: Person,
  key: KeyRef | null = null,
): MayNotDecide | null {
  const { owner_member_id: owner } = subject.agent;
  if (person.role === 'viewer') return new MayNotDecide('FORBIDDEN', 'VIEWER', 'a viewer decides nothing');
  if (person.since.getTime() > Date.parse(requestedAt))
    return new MayNotDecide('FORBIDDEN', 'JOINED_LATER', 'you became a member after this request was made');
  if (terms.approver_groups.length > 0 && groupsUnder(terms, person.groups).length === 0)
    return new MayNotDecide(
      'FORBIDDEN',
      'NOT_IN_GROUPS',
      `only members of ${terms.approver_groups.map(({ group }) => `"${group}"`).join(', ')} decide this request`,
    );
  if (!terms.separation_of_duties) return null;
  const deciding = possibleActors(person.memberId, key);
  // A holder of a colleague's key must not decide with it what the holder may not decide.
  const refuse = (
    code: 'SELF_APPROVAL' | 'FORBIDDEN',
    reason: CannotDecideCode,
    barred: readonly string[],
    detail: string,
  ) => {
    if (barred.includes(person.memberId)) return new MayNotDecide(code, reason, detail);
    return barred.some((member) => deciding.includes(member))
      ? new MayNotDecide(code, 'KEY_HOLDER', `${detail}; such a person holds the key you decide with`)
      : null;
  };
  const selfApproval =
    refuse(
      'SELF_APPROVAL',
      'OWNER',
      owner === null ? [] : [owner],
      'the owner of the agent does not decide its requests, as the policy separates duties',
    ) ??
    refuse(
      'SELF_APPROVAL',
      'KEY_HOLDER',
      holdersOf(askedWithKey),
      'a holder of the key that this was asked with does not decide it, as the policy separates duties',
    );
  if (selfApproval !== null || owner !== null) return selfApproval;
  if (person.role !== 'admin')
    return new MayNotDecide(
      'FORBIDDEN',
      'NOT_ADMIN',
      'the agent has no owner, so only an administrator decides its requests',
    );
  return refuse(
    'FORBIDDEN',
    'POLICY_AUTHOR',
    authorsOf(terms),
    'the agent has no owner, so a possible author of this version of the policy does not decide its requests',
  );
}

/** The members who may have written the policy version; none if no person wrote it or the author is unknown. */
export const authorsOf = ({ policy_authors, policy_author }: ApprovalTerms): readonly string[] =>
  policy_authors ?? (policy_author === undefined || policy_author === null ? [] : [policy_author]);

/** The approver groups that the person is in. */
export const groupsUnder = (terms: ApprovalTerms, groups: readonly string[]): string[] =>
  terms.approver_groups.map(({ group }) => group).filter((group) => groups.includes(group));

/**
 * The votes that remain when other terms begin to govern. A person who could not vote under the new terms loses the vote and
 * may vote again; an approval "forever" of another policy version becomes an approval of this request once.
 */
export function votesUnder(
  terms: ApprovalTerms,
  {
    terms: before,
    votes,
    subject: { agent },
    askedWithKey,
  }: Omit<Decidable, 'requestedAt'> & { readonly votes: readonly Vote[] },
): Vote[] {
  const owner = agent.owner_member_id;
  // Votes do not say which voters were administrators.
  if (terms.separation_of_duties && owner === null && !before.separation_of_duties) return [];
  const barred = new Set(
    terms.separation_of_duties
      ? [...(owner === null ? authorsOf(terms) : [owner]), ...holdersOf(askedWithKey)]
      : [],
  );
  return votes
    .map((vote) => ({ ...vote, groups: groupsUnder(terms, vote.groups), forever_for: null }))
    .filter((vote) => terms.approver_groups.length === 0 || vote.groups.length > 0)
    .filter((vote) => !possibleActors(vote.member_id, vote.key).some((member) => barred.has(member)));
}
