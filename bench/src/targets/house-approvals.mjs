// This house with a policy that always asks: an agent submits and waits, an operator approves.
import { startStack } from '../../../libs/testkit/dist/index.js';
import { request } from 'undici';
import { durability, pidOf, servers } from './house.mjs';
import { cpuSecondsOf, pssOf } from '../process.mjs';

export const actionType = 'bench.approve';

export async function startApprovalHouse(dispatcher) {
  const stack = await startStack({ samplePolicy: false });
  try {
    await stack.startServices();
    const { baseUrl: url, credentials } = stack;
    const send = async (method, path, key, body, headers = {}) => {
      const answer = await request(url + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        dispatcher,
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300)
        throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
      return JSON.parse(text);
    };
    const admin = credentials.admin.api_key;
    const agent = credentials.agent.api_key;
    const policy = await send('POST', '/api/v1/policies', admin, {
      name: 'asks',
      action_type: actionType,
      effect: 'require_approval',
    });
    return {
      name: 'agentlattice',
      stack,
      send,
      policyId: policy.id,
      durability: await durability(stack),
      async create() {
        const { approval_id: id } = await send('POST', '/api/v1/actions', agent, {
          action_type: actionType,
          metadata: { service: 'api', version: '2.1.0' },
        });
        return { id };
      },
      wait: ({ id }) =>
        send('GET', `/api/v1/approvals/${id}/status`, agent, undefined, { prefer: 'wait=60' }),
      approve: ({ id }) => send('POST', `/api/v1/approvals/${id}/approve`, admin, { reason: 'reviewed' }),
      isApproved: (answer) => answer.status === 'approved' && typeof answer.grant === 'string',
      cpu: () => each(stack, cpuSecondsOf),
      pss: () => each(stack, pssOf),
      stop: () => stack.stop(),
    };
  } catch (error) {
    console.error(stack.said.slice(-30).join('\n'));
    await stack.stop();
    throw error;
  }
}

const each = async (stack, measure) =>
  Object.fromEntries(
    await Promise.all(servers(stack).map(async (name) => [name, await measure(pidOf(stack, name))])),
  );
