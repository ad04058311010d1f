import { randomUUID } from 'node:crypto';
import { type Credentials, samplePolicy } from '@agentlattice/launcher';
import { z } from 'zod';

const newWorkspace = z.object({
  org_id: z.string(),
  admin: z.object({ api_key: z.string() }),
  service_key: z.string(),
});
const newAgent = z.object({ id: z.string(), api_key: z.string() });

/**
 * Makes a workspace by the API, with what the first workspace of a system has: an administrator, a service key, an agent that the
 * administrator registered, and the sample policy. As always, the instance administrator knows the password of the
 * new administrator, who therefore cannot decide in a session before changing it.
 * @param instanceKey of the instance administrator
 * @throws when a call is refused
 */
export async function makeWorkspace(baseUrl: string, instanceKey: string): Promise<Credentials> {
  const post = async (path: string, key: string, body: object): Promise<unknown> => {
    const answer = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${String(answer.status)}: ${await answer.text()}`);
    return answer.json();
  };
  const id = randomUUID();
  // E-mail addresses are unique in a system, not in a workspace.
  const [email, password] = [`admin@${id}.example.com`, randomUUID()];
  const workspace = newWorkspace.parse(
    await post('/api/v1/workspaces', instanceKey, {
      name: `workspace ${id}`,
      admin: { email, name: 'Administrator', password },
    }),
  );
  const { api_key } = workspace.admin;
  const name = 'first-agent';
  const agent = newAgent.parse(await post('/api/agents/register', api_key, { name }));
  await post('/api/v1/policies', api_key, samplePolicy);
  return {
    base_url: baseUrl,
    org_id: workspace.org_id,
    admin: { email, password, api_key },
    service_key: workspace.service_key,
    agent: { id: agent.id, name, api_key: agent.api_key },
  };
}
