import type { Api } from './api.js';
import type { Person } from './people.js';

/** A child agent and the delegation it lives by. */
export interface Child extends Person {
  readonly name: string;
  readonly delegationId: string;
  readonly expiresAt: string;
}

/** @throws when it is refused */
export async function delegate(
  { api }: Pick<Person, 'api'>,
  capabilities: readonly string[],
  { name = 'child', ttl = 600 }: { name?: string; ttl?: number } = {},
): Promise<Child> {
  const { status, body, text } = await api.post('/api/v1/delegate', { name, capabilities, ttl_seconds: ttl });
  if (status !== 201) throw new Error(text);
  return {
    id: String(body['child_agent_id']),
    api: api.as(String(body['child_api_key'])),
    name: String(body['child_name']),
    delegationId: String(body['delegation_id']),
    expiresAt: String(body['expires_at']),
  };
}

export const revoke = (api: Api, { delegationId }: Pick<Child, 'delegationId'>) =>
  api.post('/api/v1/delegations/revoke', { delegation_id: delegationId });
