import { type KeyView, routes } from '@agentlattice/contracts';
import { exitCode, Failure } from '../exit-code.js';
import { confirm, type Ports } from '../ports.js';
import type { NewKeyOptions } from '../program/keys.js';
import { readDuration } from '../read-argument.js';
import { safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { spanText } from '../render/time-text.js';
import { findAgent } from './agents.js';
import { firstOf, printDone, printList, printSecret } from './lists.js';
import { findMember } from './members.js';

export const readKeys =
  ({ api }: Pick<Ports, 'api'>) =>
  async (query: { limit: number; cursor: string | undefined }) => {
    const { keys, next_cursor } = await api.call(routes.listKeys, { query });
    return { items: keys, next_cursor };
  };

/** Where a key stands at a moment. */
export const keyStatus = ({ revoked_at, expires_at }: KeyView, now: number): string =>
  revoked_at !== null && Date.parse(revoked_at) <= now
    ? 'revoked'
    : expires_at !== null && Date.parse(expires_at) <= now
      ? 'expired'
      : 'active';

const holder = ({ kind, role, member_name, member_id, agent_id, scopes }: KeyView) => {
  if (kind === 'service') return scopes.join(' ');
  if (kind === 'agent') return agent_id ?? '';
  return `${shortText(member_name ?? member_id ?? '', 40)} (${role ?? ''})`;
};

export async function listKeys({ all, limit }: { all: boolean; limit: number }, ports: Ports): Promise<void> {
  const now = Date.now();
  const page = await firstOf(limit, readKeys(ports));
  const items = all ? page.items : page.items.filter((key) => keyStatus(key, now) === 'active');
  const hidden = page.items.length - items.length;
  printList(
    ports,
    { ...page, items },
    {
      name: 'keys',
      none: 'There is no key in force.',
      columns: [
        { head: 'ID' },
        { head: 'NAME', shrinksTo: 8 },
        { head: 'KIND' },
        { head: 'OF', shrinksTo: 12 },
        { head: 'BEGINS', optional: true },
        { head: 'LAST USED', optional: true },
        { head: 'STATUS', paint: statusStyle(ports.style) },
      ],
      row: (key) => [
        key.id,
        shortText(key.name, 60),
        key.kind,
        holder(key),
        safeText(key.prefix),
        key.last_used_at === null ? 'never' : `${spanText(now - Date.parse(key.last_used_at))} ago`,
        keyStatus(key, now),
      ],
    },
  );
  if (hidden > 0 && !ports.json)
    ports.terminal.say(`${String(hidden)} that ended are not shown; --all shows them.`);
}

export async function createKey({ name, ...options }: NewKeyOptions & { name: string }, ports: Ports) {
  const { kind, role, member, agent, scope: scopes, expires } = options;
  const body = {
    name,
    kind,
    role,
    member_id: member === undefined ? undefined : (await findMember(member, ports)).id,
    agent_id: agent === undefined ? undefined : (await findAgent(agent, ports)).id,
    scopes,
    expires_at: expires === undefined ? undefined : expiry(expires),
  };
  const made = await ports.api.call(routes.createKey, { body: JSON.stringify(body), repeatable: false });
  printSecret(ports, made, `${made.id}: ${safeText(made.name)}. The key is shown this once:`, made.key);
}

function expiry(text: string): string {
  if (/^[\d]+[smhd]/.test(text)) return new Date(Date.now() + readDuration('--expires', text)).toISOString();
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new Failure(
      exitCode.usage,
      '--expires is neither a time such as 2027-01-31T00:00:00Z nor a duration.',
    );
  return new Date(at).toISOString();
}

export async function rotateKey(
  { id, overlap }: { id: string; overlap: string },
  ports: Ports,
): Promise<void> {
  const made = await ports.api.call(routes.rotateKey, {
    params: { key_id: id },
    body: JSON.stringify({ overlap }),
    repeatable: false,
  });
  const end = overlap === '0s' ? 'ends now' : `works for ${overlap} more`;
  printSecret(
    ports,
    made,
    `${made.id} replaces ${safeText(id)}, which ${end}. The new key is shown this once:`,
    made.key,
  );
}

export async function revokeKey(id: string, yes: boolean, ports: Ports): Promise<void> {
  await confirm(ports, `Revoke ${safeText(id)}? Programs that use it are refused from then on.`, yes);
  const key = await ports.api.call(routes.revokeKey, { params: { key_id: id } });
  printDone(ports, key, `${key.id}: ${safeText(key.name)} is revoked`);
}
