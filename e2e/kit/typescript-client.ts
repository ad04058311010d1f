import {
  AgentLattice,
  AgentLatticeError,
  ApprovalDeniedError,
  ApprovalTimeoutError,
  ConnectionError,
} from '@agentlattice/sdk';
import { type DrivenClient, neutral, type NeutralCall, type NeutralResult } from './conformance.js';

/** The TypeScript SDK, driven by the neutral names of the conformance cases. */
export const typescriptClient: DrivenClient = {
  call: async ({ method, args, baseUrl, apiKey, client }) => {
    const retryForMs = client['retry_for_ms'] as number | undefined;
    const al = new AgentLattice({ apiKey, baseUrl, ...(retryForMs === undefined ? {} : { retryForMs }) });
    try {
      return { result: neutral(await callBy({ method, args }, al, baseUrl)) };
    } catch (error) {
      return { error: errorOf(error) };
    }
  },
  stop: () => Promise.resolve(),
};

function callBy({ method, args }: NeutralCall, al: AgentLattice, baseUrl: string): Promise<unknown> {
  const { action_type, approval_id, metadata, data_accessed, event_id, timeout_ms, reason, ...rest } =
    args as Record<string, unknown> & { readonly [name in TextName]: string };
  const options = given({ metadata, dataAccessed: data_accessed, eventId: event_id, timeoutMs: timeout_ms });
  switch (method) {
    case 'execute':
      return al.execute(action_type, options);
    case 'gate':
      return al.gate(action_type, options);
    case 'gated':
      return al.gate(action_type, options, () => {
        if (rest['fail'] === true) throw new TypeError('the function failed');
        return { done: true };
      });
    case 'can_i':
      return al.canI(action_type, given({ metadata }));
    case 'list_pending_approvals':
      return al.listPendingApprovals();
    case 'approve_action':
      return al.approveAction(approval_id, given({ reason, scope: rest['scope'] }));
    case 'deny_action':
      return al.denyAction(approval_id, given({ reason }));
    case 'cancel':
      return al.cancel(approval_id, given({ reason }));
    case 'approval_status':
      return al.approvalStatus(approval_id, given({ waitSeconds: rest['wait_seconds'] }));
    case 'consume_grant':
      return al.consumeGrant(rest['grant'] as string, rest['action_digest'] as string);
    case 'whoami':
      return al.whoami();
    case 'policies':
      return al.policies(given({ scope: rest['scope'] }));
    case 'audit':
      return al.audit(given({ cursor: rest['cursor'], limit: rest['limit'], actionType: action_type }));
    case 'verify':
      return al.verify();
    case 'posture':
      return al.posture();
    case 'delegate':
      return al.delegate(
        rest['name'] as string,
        { capabilities: rest['capabilities'] as never, ttlSeconds: rest['ttl'] as never },
        async (child) => {
          const results: unknown[] = [];
          for (const type of rest['actions'] as unknown as string[])
            results.push(await child.execute(type, { eventId: `e-${type}` }));
          return { results };
        },
      );
    case 'delegations':
      return al.delegations(given({ role: rest['role'], activeOnly: rest['active_only'] }));
    case 'revoke':
      return al.revoke(rest['delegation_id']);
    case 'report':
      return al.report(rest['audit_event_id'], rest['outcome'] as never);
    case 'register':
      return AgentLattice.register((rest['service_key'] as string | undefined) ?? 'al_svc_test', {
        ...{ name: rest['name'], baseUrl },
        ...given({ description: rest['description'] }),
      } as never).then(({ agent }) => agent);
    default:
      throw new Error(`no method ${method}`);
  }
}

type TextName = 'action_type' | 'approval_id' | 'delegation_id' | 'audit_event_id';

/** Without undefined members, as a program would leave them out. */
const given = (options: Record<string, unknown>): Record<string, never> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<
    string,
    never
  >;

function errorOf(error: unknown): Extract<NeutralResult, { error: unknown }>['error'] {
  if (!(error instanceof Error)) throw error;
  const known = error instanceof AgentLatticeError ? (neutral({ ...error }) as object) : {};
  const names = [
    [ApprovalDeniedError, 'denied'],
    [ApprovalTimeoutError, 'timeout'],
    [ConnectionError, 'connection'],
    [AgentLatticeError, 'error'],
  ] as const;
  const [, name] = names.find(([kind]) => error instanceof kind) ?? [null, error.name];
  return { code: null, ...known, message: error.message, class: name };
}
