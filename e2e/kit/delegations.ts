import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, type Answer, Api } from './api.js';
import { addAgent, type Person } from './people.js';

/** A child agent and the delegation it lives by. */
export interface Child extends Person {
  readonly name: string;
  readonly delegationId: string;
  readonly expiresAt: string;
}
type Caller = Pick<Person, 'api'>;

/** @throws when it is refused */
export async function delegate(
  { api }: Caller,
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

/** Whether an answer lets its reader act. */
export const isGo = ({ text }: Answer) => /"(executed|approved|consumed)"|"grant":"/.test(text);

export const statusOf = ({ api }: Caller, id: string, waitSeconds = 0) =>
  api.call('GET', `/api/v1/approvals/${id}/status`, {
    headers: waitSeconds === 0 ? {} : { prefer: `wait=${String(waitSeconds)}` },
  });

/** The id of a new request of the agent. */
export async function requested({ api }: Caller): Promise<string> {
  const { status, body, text } = await api.submit('mail.send');
  if (status !== 202) throw new Error(text);
  return String(body['approval_id']);
}

export type DelegationSystem = Awaited<ReturnType<typeof startDelegationSystem>>;

/** A system with two gateways, where `db.*` is allowed and `mail.*` needs a person. */
export async function startDelegationSystem() {
  const stack: Stack = await startStack({ samplePolicy: false });
  await stack.startServices();
  const admin = adminOf(stack);
  await admin.policy({ name: 'reads', action_type: 'db.*', effect: 'allow' });
  await admin.policy({ name: 'asks', action_type: 'mail.*', effect: 'require_approval' });
  const second = await stack.startReplica('gateway');
  let names = 0;
  const newParent = () => addAgent(admin, `parent-${String(++names)}`);
  const { api } = await newParent();
  await eventually(async () => (await api.submit('db.read')).body['status'] === 'executed');
  const done = async (path: string) => {
    const { status, text } = await admin.post(path, {});
    if (status !== 200) throw new Error(text);
  };
  return {
    stack,
    admin,
    newParent,
    approve: (id: string) => done(`/api/v1/approvals/${id}/approve`),
    suspend: ({ id }: Person) => done(`/api/v1/agents/${id}/suspend`),
    resume: ({ id }: Person) => done(`/api/v1/agents/${id}/resume`),
    /** The same key at the other gateway. */
    elsewhere: (person: Caller): Api => new Api(second.baseUrl, person.api.key),
    stop: stack.stop,
  };
}
