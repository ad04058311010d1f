import { type MemberView, type OperatorRole, routes } from '@agentlattice/contracts';
import { exitCode, Failure } from '../exit-code.js';
import { confirm, type Ports } from '../ports.js';
import { safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { clockText } from '../render/time-text.js';
import { findOne, firstOf, printDone, printList, printSecret } from './lists.js';

export const readMembers =
  ({ api }: Pick<Ports, 'api'>) =>
  async (query: { limit: number; cursor: string | undefined }) => {
    const { members, next_cursor } = await api.call(routes.listMembers, { query });
    return { items: members, next_cursor };
  };

/** By id or e-mail address. Names are no names of one person: two people may have the same. */
export const findMember = (argument: string, ports: Ports): Promise<MemberView> =>
  findOne({ what: 'member', argument, read: readMembers(ports), names: ({ email }) => [email] });

export async function listMembers(limit: number, ports: Ports): Promise<void> {
  printList(ports, await firstOf(limit, readMembers(ports)), {
    name: 'members',
    none: 'There is no member.',
    columns: [
      { head: 'ID' },
      { head: 'NAME', shrinksTo: 10 },
      { head: 'EMAIL', shrinksTo: 12 },
      { head: 'ROLE' },
      { head: 'STATUS', paint: statusStyle(ports.style) },
      { head: 'GROUPS', shrinksTo: 8 },
    ],
    row: ({ id, name, email, role, status, groups }) => [
      id,
      shortText(name, 60),
      shortText(email, 80),
      role,
      status,
      shortText(groups.join(', '), 80),
    ],
  });
}

export async function inviteMember(
  person: { email: string; name: string; role: OperatorRole; groups: readonly string[] },
  ports: Ports,
): Promise<void> {
  const made = await ports.api.call(routes.createMember, { body: JSON.stringify(person), repeatable: false });
  const { invitation, name, email } = made;
  if (invitation === undefined)
    return printDone(ports, made, `${made.id}: ${safeText(name)} (${safeText(email)}) is a member`);
  const mailed = invitation.mailed ? 'A mail with another link was sent. ' : '';
  printSecret(
    ports,
    made,
    `${made.id}: ${safeText(name)} (${safeText(email)}) is invited. ${mailed}This link is shown once, works once and until ${clockText(invitation.expires_at)}:`,
    invitation.link,
  );
}

export async function changeMember(
  {
    member,
    ...change
  }: {
    member: string;
    name: string | undefined;
    role: OperatorRole | undefined;
    groups: readonly string[] | undefined;
  },
  ports: Ports,
): Promise<void> {
  if (Object.values(change).every((value) => value === undefined))
    throw new Failure(exitCode.usage, 'Say what to change: --name, --role, --group or --no-groups.');
  const { id } = await findMember(member, ports);
  const changed = await ports.api.call(routes.updateMember, {
    params: { member_id: id },
    body: JSON.stringify(change),
  });
  const groups = changed.groups.length === 0 ? 'no group' : changed.groups.map(safeText).join(', ');
  printDone(ports, changed, `${id}: ${safeText(changed.name)}, role ${changed.role}, in ${groups}`);
}

export async function removeMember(argument: string, yes: boolean, ports: Ports): Promise<void> {
  const { id, name } = await findMember(argument, ports);
  await confirm(ports, `Remove ${safeText(name)}? Their keys, sessions and votes on open requests end.`, yes);
  const removed = await ports.api.call(routes.removeMember, { params: { member_id: id }, repeatable: false });
  printDone(ports, removed, `${id}: ${safeText(name)} is removed`);
  for (const key of removed.held_keys)
    ports.terminal.say(
      `${safeText(name)} may know the ${key.kind} key ${key.id} (${safeText(key.name)}): al keys rotate ${key.id}`,
    );
}
