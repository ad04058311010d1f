import { randomUUID } from 'node:crypto';
import type { Api } from './api.js';

const domain = `${randomUUID()}.example.com`;

/** An address of this test file alone: a system that several files use knows each address once, for all its workspaces. */
export const mailAddress = (name: string): string => `${name}@${domain}`;

export interface Person {
  readonly id: string;
  readonly api: Api;
}

/** A member of the workspace, with a key that its administrator made and was shown. */
export async function addPerson(
  admin: Api,
  { name, role, groups = [] }: { name: string; role: 'viewer' | 'member' | 'admin'; groups?: string[] },
): Promise<Person> {
  const email = mailAddress(name);
  const member = await admin.post('/api/v1/members', {
    email,
    name,
    role,
    groups,
    password: 'a long password',
  });
  if (member.status !== 201) throw new Error(member.text);
  const id = String(member.body['id']);
  const key = await admin.post('/api/v1/keys', { name, kind: 'operator', member_id: id });
  if (key.status !== 201) throw new Error(key.text);
  return { id, api: admin.as(String(key.body['key'])) };
}

/**
 * A member of the workspace with a key of their own: a person of another workspace, who accepts the invitation.
 * @param root the instance administrator
 */
export async function addPersonWithOwnKey(
  root: Api,
  admin: Api,
  { name, role, groups = [] }: { name: string; role: 'viewer' | 'member' | 'admin'; groups?: string[] },
): Promise<Person> {
  const [email, password] = [mailAddress(name), 'a long password'];
  const made = await root.post('/api/v1/workspaces', { name, admin: { email, name, password } });
  if (made.status !== 201) throw new Error(made.text);
  const self = root.as((made.body['admin'] as { api_key: string }).api_key);
  const invited = await admin.post('/api/v1/members', { email, name, role, groups, password });
  if (invited.status !== 201) throw new Error(invited.text);
  const id = String(invited.body['id']);
  const accepted = await self.call('POST', `/api/v1/invitations/${id}/accept`);
  if (accepted.status !== 200) throw new Error(accepted.text);
  return { id, api: admin.as(String(accepted.body['api_key'])) };
}

/** A further agent. */
export async function addAgent(admin: Api, name: string): Promise<Person> {
  const { status, body, text } = await admin.post('/api/agents/register', { name });
  if (status !== 201) throw new Error(text);
  return { id: String(body['id']), api: admin.as(String(body['api_key'])) };
}
