// This system with a policy that always asks: an agent submits and waits, an operator approves.
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { durability, perServer } from './our-system.mjs';
import { cpuSecondsOf, pssOf } from '../process.mjs';

export const actionType = 'bench.approve';

export async function startOurApprovals(dispatcher, checkout) {
  const { startStack } = await checkout.library('testkit');
  const stack = await startStack({ samplePolicy: false });
  try {
    await stack.startServices();
    return await furnished(stack, dispatcher, checkout);
  } catch (error) {
    console.error(stack.said.slice(-30).join('\n'));
    await stack.stop();
    throw error;
  }
}

async function furnished(stack, dispatcher, checkout) {
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
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text);
  };
  const admin = credentials.admin.api_key;
  const agent = credentials.agent.api_key;
  const policy = await send('POST', '/api/v1/policies', admin, {
    name: 'asks',
    action_type: actionType,
    effect: 'require_approval',
  });
  const approvers = await connectApprovers(stack, checkout);
  let sequence = 0;
  const action = () => ({
    action_type: actionType,
    metadata: { service: 'api', token: String(sequence++), version: '2.1.0' },
  });
  const approve = ({ id }) => send('POST', `/api/v1/approvals/${id}/approve`, admin, { reason: 'reviewed' });
  const system = {
    name: checkout.name,
    version: checkout.version,
    stack,
    send,
    policyId: policy.id,
    durability: await durability(stack, checkout),
    cpu: () => perServer(stack, cpuSecondsOf),
    pss: () => perServer(stack, pssOf),
    async stop() {
      await approvers.close();
      await stack.stop();
    },
  };
  const three = {
    name: `${checkout.name}, 3 requests`,
    system,
    cpu: system.cpu,
    async create() {
      const { approval_id: id } = await send('POST', '/api/v1/actions', agent, action());
      return { id };
    },
    wait: ({ id }) => send('GET', `/api/v1/approvals/${id}/status`, agent, undefined, { prefer: 'wait=60' }),
    approve,
    isApproved: (answer) => answer.status === 'approved' && typeof answer.grant === 'string',
  };
  const two = {
    name: `${checkout.name}, 2 requests`,
    system,
    cpu: system.cpu,
    async create() {
      const asked = action();
      const told = approvers.hear(digestOf(asked, credentials));
      const unblocked = send('POST', '/api/v1/actions', agent, asked, { prefer: 'wait=60' });
      // Who is refused hears no id.
      return { id: await Promise.race([told, unblocked.then(() => told)]), unblocked };
    },
    wait: ({ unblocked }) => unblocked,
    approve,
    isApproved: (answer) => answer.status === 'executed' && typeof answer.grant === 'string',
  };
  return { ...system, flows: [two, three], three };
}

/**
 * Where approvers hear which requests wait, beside the HTTP API: the answers that the services give to the gateway on NATS once a
 * request is on disk, heard as NATS's administrator. The action's digest says whose request it is.
 */
async function connectApprovers(stack, checkout) {
  const { connect } = checkout.require('@nats-io/transport-node');
  const { host, username, password } = new URL(stack.natsUrl('admin'));
  const nc = await connect({ servers: host, user: username, pass: password });
  const waiting = new Map();
  nc.subscribe('reply.gateway.*.submission', {
    callback: (error, message) => {
      if (error !== null) return;
      for (const { action_digest, outcome } of message.json().items) {
        const id = outcome?.approval_id;
        if (id) waiting.get(action_digest)?.(id);
        waiting.delete(action_digest);
      }
    },
  });
  await nc.flush();
  return {
    hear: (digest) => new Promise((resolve) => waiting.set(digest, resolve)),
    close: () => nc.close(),
  };
}

/** RFC 8785 of the action with its agent and workspace; the members of `metadata` above are in order already. */
const digestOf = ({ action_type, metadata }, { agent, org_id }) =>
  createHash('sha256')
    .update(JSON.stringify({ action_type, agent_id: agent.id, data_accessed: [], metadata, org_id }))
    .digest('base64url');
