import { actionOf, cancelRequest, statusOf, submit } from './actions.js';
import { camelCased, snakeCased } from './casing.js';
import { delegate, type DelegateOptions, type DelegationOf, runThenEnd } from './delegation.js';
import { AgentLatticeError } from './errors.js';
import { passGate } from './gate.js';
import type { GrantClaims, GrantedAction } from './grant.js';
import { liveEvents, type LiveEvent, type SubscribeOptions } from './live-events.js';
import { PublishedKeys } from './published-keys.js';
import { type Answer, type Call, Transport } from './transport.js';
import type * as t from './types.js';

export interface AgentLatticeOptions {
  /** An agent's key (`al_agent_…`), for deciding an operator's (`al_op_…`). Default: `AL_API_KEY` of the environment. */
  readonly apiKey?: string;
  /** Default: `AL_BASE_URL` of the environment, else `http://localhost:3000`. */
  readonly baseUrl?: string;
  /** How long to try again when the system is away, in milliseconds. Default 60,000. */
  readonly retryForMs?: number;
  /** In place of the platform's own. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, such as a `user-agent`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told why, once for each time that the system stops answering and is tried again. */
  readonly onAway?: (reason: string) => void;
}

export interface RegisterOptions extends Omit<AgentLatticeOptions, 'apiKey'> {
  readonly name: string;
  readonly description?: string;
}

/** An agent that was just made; its key is shown this once. */
export interface RegisteredAgent {
  readonly id: string;
  readonly name: string;
  readonly apiKey: string;
  readonly createdAt: string;
}

/** A child agent and the delegation it lives by. `await using` ends it with its block. */
export type Delegation = DelegationOf<AgentLattice>;

const environment: Readonly<Record<string, string | undefined>> =
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
const defaultRetryForMs = 60_000;
const pageSize = 200;

/**
 * Asks before an agent acts, and lets people decide.
 *
 * Every method throws `AgentLatticeError` with the server's `code` when it is refused, and `ConnectionError` when the system
 * cannot be reached within `retryForMs`. What is sent again can never take effect twice.
 */
export class AgentLattice {
  private readonly transport: Transport;
  private readonly keys: PublishedKeys;

  /** @throws AgentLatticeError `MISSING_API_KEY` */
  constructor(options: AgentLatticeOptions = {}) {
    this.transport = transportOf(options);
    this.keys = new PublishedKeys(this.transport);
  }

  /** Makes an agent with a service key (scope `agents:register`). */
  static async register(
    serviceKey: string,
    { name, description, ...options }: RegisterOptions,
  ): Promise<{ readonly client: AgentLattice; readonly agent: RegisteredAgent }> {
    const { body } = await transportOf({ ...options, apiKey: serviceKey }).call(
      'POST',
      '/api/agents/register',
      {
        body: { name, description: description ?? null },
        repeatable: false,
      },
    );
    const agent = camelCased(body) as RegisteredAgent;
    return { client: new AgentLattice({ ...options, apiKey: agent.apiKey }), agent };
  }

  /** Submits an action and returns at once, also when a person must decide. */
  execute(
    actionType: string,
    options: t.ActionOptions & { readonly grant?: boolean } = {},
  ): Promise<t.ActionResult> {
    const { signal, grant = false } = options;
    return submit(this.transport, actionOf(actionType, options), { wait: 0, grant, signal });
  }

  /**
   * Waits until an action is cleared, with a grant that was checked.
   * With a function: runs it only then, reports how it went, and returns what it returns.
   * @throws ApprovalDeniedError, ApprovalTimeoutError, AgentLatticeError (`POLICY_NOT_FOUND`, `GRANT_INVALID`, …), and
   *   what the function throws
   */
  gate(actionType: string, options?: t.GateOptions): Promise<t.GateResult>;
  gate<T>(actionType: string, run: (cleared: t.GateResult) => T | Promise<T>): Promise<T>;
  gate<T>(
    actionType: string,
    options: t.GateOptions,
    run: (cleared: t.GateResult) => T | Promise<T>,
  ): Promise<T>;
  async gate<T>(
    actionType: string,
    second: t.GateOptions | ((cleared: t.GateResult) => T | Promise<T>) = {},
    third?: (cleared: t.GateResult) => T | Promise<T>,
  ): Promise<t.GateResult | T> {
    const [options, run] = typeof second === 'function' ? [{}, second] : [second, third];
    const cleared = await passGate(
      { transport: this.transport, keys: this.keys },
      actionOf(actionType, options),
      options,
    );
    if (run === undefined) return cleared;
    let value: T;
    try {
      value = await run(cleared);
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      await this.tryToReport(cleared.auditEventId, { status: 'failure', message: message.slice(0, 4_000) });
      throw error;
    }
    await this.tryToReport(cleared.auditEventId, { status: 'success' });
    return value;
  }

  /** What would be answered now. Writes nothing and asks nobody. */
  async canI(
    actionType: string,
    { metadata }: { readonly metadata?: t.JsonObject } = {},
  ): Promise<t.PolicyCheck> {
    const path = '/api/v1/policies/check';
    return metadata === undefined
      ? this.get(path, { query: { action_type: actionType } })
      : this.send('POST', path, { body: { action_type: actionType, metadata } });
  }

  /** Everything that waits for a person, the oldest first: all of it, or as much as `limit` says. */
  async listPendingApprovals({
    limit = Number.POSITIVE_INFINITY,
    actionType,
    agentId,
  }: {
    readonly limit?: number;
    readonly actionType?: string;
    readonly agentId?: string;
  } = {}): Promise<t.Approval[]> {
    const found: t.Approval[] = [];
    let cursor: string | undefined;
    do {
      const page: t.ApprovalPage = await this.listApprovals({
        ...{ status: 'pending', ...given({ actionType, agentId, cursor }) },
        limit: Math.min(pageSize, limit - found.length),
      });
      found.push(...page.approvals);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && found.length < limit);
    return found;
  }

  /** One page of requests, of any status where none is named. */
  listApprovals(query: t.ApprovalQuery = {}): Promise<t.ApprovalPage> {
    return this.get('/api/v1/approvals', { query: wired(query) as NonNullable<Call['query']> });
  }

  getApproval(approvalId: string): Promise<t.Approval> {
    return this.get(approvalPath(approvalId));
  }

  /** How a request stands; with `waitSeconds` (0 to 60) not before it is decided or that time has passed. */
  approvalStatus(
    approvalId: string,
    { waitSeconds = 0, signal }: { readonly waitSeconds?: number; readonly signal?: AbortSignal } = {},
  ): Promise<t.ApprovalStatus> {
    return statusOf(this.transport, approvalId, { wait: waitSeconds, signal });
  }

  /**
   * Approves a request, or adds a vote where more than one is needed. `scope: 'forever'` (administrators) turns the policy
   * to allow as well. Sent once: when the connection breaks, look before you try again.
   * @throws AgentLatticeError `APPROVAL_ALREADY_DECIDED`, `APPROVAL_TIMED_OUT`, `SELF_APPROVAL`, …
   */
  approveAction(
    approvalId: string,
    options: {
      readonly reason?: string;
      readonly scope?: 'once' | 'forever';
      /** With `forever`: refused with `POLICY_CHANGED` when the policy has another version by now. */
      readonly policyVersion?: number;
      readonly foreverFor?: 'policy' | 'action_type';
    } = {},
  ): Promise<t.Approval | t.VotePending> {
    return this.send('POST', `${approvalPath(approvalId)}/approve`, {
      body: wired(options),
      repeatable: false,
    });
  }

  /** Denies a request, or adds a vote against it. Sent once, as `approveAction`. */
  denyAction(
    approvalId: string,
    options: { readonly reason?: string } = {},
  ): Promise<t.Approval | t.VotePending> {
    return this.send('POST', `${approvalPath(approvalId)}/deny`, { body: wired(options), repeatable: false });
  }

  /** Withdraws the agent's own request. @returns how it stands then: somebody may have been faster */
  cancel(approvalId: string, { reason }: { readonly reason?: string } = {}): Promise<t.ApprovalStatus> {
    return cancelRequest(this.transport, approvalId, reason);
  }

  whoami(): Promise<t.Whoami> {
    return this.get('/api/v1/whoami');
  }

  policies({
    scope,
    cursor,
  }: { readonly scope?: 'own' | 'org'; readonly cursor?: string } = {}): Promise<t.Policies> {
    return this.get('/api/v1/policies', { query: { scope, cursor } });
  }

  audit(query: t.AuditQuery = {}): Promise<t.AuditPage> {
    return this.get('/api/v1/audit', { query: wired(query) as NonNullable<Call['query']> });
  }

  /** Whether the workspace's log is whole, as the system itself last checked. */
  verify(): Promise<t.Verification> {
    return this.get('/api/v1/audit/verify');
  }

  posture(): Promise<t.Posture> {
    return this.get('/api/v1/posture');
  }

  /** How an allowed or approved action went. The last report stands. */
  report(auditEventId: string, outcome: t.Outcome): Promise<t.Report> {
    return this.send('POST', '/api/v1/report', { body: { audit_event_id: auditEventId, outcome } });
  }

  /**
   * Checks offline that a grant clears exactly this action, with the system's published keys (fetched once in five minutes).
   * @throws AgentLatticeError `GRANT_INVALID`
   */
  verifyGrant(
    grant: string,
    action: Pick<GrantedAction, 'actionType'> & Partial<GrantedAction>,
  ): Promise<GrantClaims> {
    return this.keys.verify(grant, { metadata: {}, dataAccessed: [], ...action });
  }

  /** Uses the grant of an approved request up: for one caller only. @throws AgentLatticeError `GRANT_CONSUMED`, … */
  consumeGrant(grant: string, actionDigest: string): Promise<t.ConsumedGrant> {
    const body = { grant, action_digest: actionDigest };
    return this.send('POST', '/api/v1/grants/consume', { body, repeatable: false });
  }

  /** Makes a child agent that may do less, for a while. With a function: for as long as it runs. */
  delegate(name: string, options: DelegateOptions): Promise<Delegation>;
  delegate<T>(name: string, options: DelegateOptions, run: (child: AgentLattice) => Promise<T>): Promise<T>;
  async delegate<T>(
    name: string,
    options: DelegateOptions,
    run?: (child: AgentLattice) => Promise<T>,
  ): Promise<Delegation | T> {
    const delegation = await delegate(this.transport, name, options, (apiKey, delegationId) =>
      AgentLattice.on(
        this.transport.with({
          apiKey,
          headers: { ...this.transport.options.headers, 'x-al-delegation-id': delegationId },
        }),
      ),
    );
    if (run === undefined) return delegation;
    return await runThenEnd([delegation], () => run(delegation.agent));
  }

  /** Runs a function with several child agents at once; all of them end with it, also when one could not be made. */
  async parallel<T>(
    children: readonly (DelegateOptions & { readonly name: string })[],
    run: (agents: readonly AgentLattice[]) => Promise<T>,
  ): Promise<T> {
    const made = await Promise.allSettled(
      children.map(({ name, ...options }) => this.delegate(name, options)),
    );
    const there = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    return await runThenEnd(there, () => {
      for (const result of made) if (result.status === 'rejected') throw result.reason;
      return run(there.map(({ agent }) => agent));
    });
  }

  delegations({
    role,
    activeOnly,
  }: { readonly role?: 'parent' | 'child'; readonly activeOnly?: boolean } = {}): Promise<{
    readonly delegations: readonly t.DelegationEntry[];
  }> {
    return this.get('/api/v1/delegations', { query: { role, active_only: activeOnly } });
  }

  revoke(delegationId: string): Promise<{ readonly revoked: boolean; readonly delegationId: string }> {
    return this.send('POST', '/api/v1/delegations/revoke', { body: { delegation_id: delegationId } });
  }

  /** What happens in the workspace, as far as the key may see it: `for await (const event of al.subscribe())`. */
  subscribe(options: SubscribeOptions = {}): AsyncGenerator<LiveEvent, void, void> {
    return liveEvents(this.transport, options);
  }

  /**
   * Calls any route of the OpenAPI document (`/api/v1/openapi.json`), with names as they are on the wire. It is sent again
   * unless `repeatable` is false, so say that of what could take effect twice.
   */
  request(method: string, path: string, call: Call = {}): Promise<Answer> {
    return this.transport.call(method, path, call);
  }

  private static on(transport: Transport): AgentLattice {
    const { apiKey, baseUrl } = transport.options;
    const client = new AgentLattice({ apiKey, baseUrl });
    return Object.assign(client, { transport, keys: new PublishedKeys(transport) });
  }

  private get<T>(path: string, call: Call = {}): Promise<T> {
    return this.send('GET', path, call);
  }

  private async send<T>(method: string, path: string, call: Call): Promise<T> {
    const { body } = await this.transport.call(method, path, call);
    return camelCased(body) as T;
  }

  /** The action is done; a report that does not arrive must not look like a failure of it. */
  private async tryToReport(auditEventId: string, outcome: t.Outcome): Promise<void> {
    await this.report(auditEventId, outcome).catch(() => undefined);
  }
}

function transportOf({
  apiKey = environment['AL_API_KEY'] ?? '',
  baseUrl = environment['AL_BASE_URL'] ?? 'http://localhost:3000',
  retryForMs = defaultRetryForMs,
  fetch: ownFetch,
  headers = {},
  onAway,
}: AgentLatticeOptions): Transport {
  if (apiKey.trim() === '')
    throw new AgentLatticeError('MISSING_API_KEY', 'Give an apiKey, or set AL_API_KEY');
  return new Transport({
    apiKey,
    retryForMs,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    headers,
    onAway,
    // Bound late, so that a program may instrument the platform's own.
    fetch: ownFetch ?? ((input, init) => fetch(input, init)),
  });
}

/** Without what is undefined. */
const given = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]?: Exclude<T[name], undefined>;
  };

const approvalPath = (approvalId: string) => `/api/v1/approvals/${encodeURIComponent(approvalId)}`;

/** Options by their names on the wire; what is undefined is left out by JSON. */
const wired = (options: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [snakeCased(name), value]));
