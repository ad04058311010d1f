import { authorsOf, type Decidable, type Person, decisionRefusal } from './may-decide.js';
import { holdersOf } from './key-holders.js';

/**
 * How many of these members may decide each of these requests now; null where no member of its workspace is known. Requests
 * of one workspace under the same terms are counted once.
 */
export function eligibleApprovers(
  requests: readonly (Decidable & { readonly orgId: string })[],
  members: ReadonlyMap<string, readonly Person[]>,
): (number | null)[] {
  const counted = new Map<string, number>();
  return requests.map((request) => {
    const people = members.get(request.orgId);
    if (people === undefined || people.length === 0) return null;
    const newest = people.some(({ since }) => since.getTime() > Date.parse(request.requestedAt));
    const key = newest ? null : keyOf(request);
    const before = key === null ? undefined : counted.get(key);
    if (before !== undefined) return before;
    const count = people.filter((person) => decisionRefusal(request, person) === null).length;
    if (key !== null) counted.set(key, count);
    return count;
  });
}

/** The members who may decide an open request and have not voted, in a fixed order. */
export const remainingApprovers = (
  request: Decidable & { readonly votes: readonly { readonly member_id: string }[] },
  people: readonly Person[],
): string[] =>
  people
    .filter((person) => decisionRefusal(request, person) === null)
    .map(({ memberId }) => memberId)
    .filter((id) => !request.votes.some(({ member_id }) => member_id === id))
    .sort();

const keyOf = ({ orgId, terms, subject, askedWithKey }: Decidable & { readonly orgId: string }) =>
  JSON.stringify([
    orgId,
    terms.approver_groups,
    terms.separation_of_duties,
    authorsOf(terms),
    subject.agent.owner_member_id,
    holdersOf(askedWithKey),
  ]);
