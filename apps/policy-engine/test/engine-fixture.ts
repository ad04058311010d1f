import {
  type Actor,
  type AppendItem,
  appendItem,
  appendSubject,
  type CommandRequest,
  evaluateSubject,
  policyEngineCommands as commands,
  type PolicyPatch,
  type Refused,
  type ServiceName,
  type SubmissionItem,
  submissionUnavailable,
  type SubmissionUnavailable,
  unavailableReplySubject,
} from '@agentlattice/contracts';
import {
  CommandClient,
  connectNats,
  ensureEventStream,
  publishBatches,
  subscribeBatches,
} from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { answersWithinMs, testPool } from '@agentlattice/testkit';
import { typeid } from 'typeid-js';
import { builder, content } from './policy-fixture.js';
import { type Engine, startEngine } from './start-engine.js';

export const actor: Actor = { kind: 'operator', id: 'mbr_x', key_id: null, via: 'api' };
export const newOrg = () => typeid('org').toString();
export const change = (org_id: string) => ({ org_id, actor, correlation_id: 'req-1' });

/** Two replicas on real servers, with a fake gateway, a fake ledger and an administrator of the database. */
export async function openEngineFixture(
  postgres: { readonly adminUrl: string; databaseUrl(service: ServiceName): string },
  nats: { natsUrl(user: ServiceName): string },
) {
  const logger = createLogger('gateway', 'silent');
  const connect = (service: ServiceName) =>
    connectNats({ url: nats.natsUrl(service), service, instance: 'test' });
  const [gateway, ledger, approvals] = await Promise.all([
    connect('gateway'),
    connect('audit-ledger'),
    connect('approval-service'),
  ]);
  await ensureEventStream(ledger);
  const start = () => startEngine(postgres.databaseUrl('policy-engine'), nats.natsUrl('policy-engine'));
  const engines: Engine[] = [await start(), await start()];
  const client = new CommandClient(gateway, answersWithinMs);
  const admin = testPool({ connectionString: postgres.adminUrl, options: '-c search_path=policy_engine' });
  const appended = new Map<string, AppendItem>();
  const unavailable = new Map<string, SubmissionUnavailable>();
  subscribeBatches(ledger, {
    subject: appendSubject,
    item: appendItem,
    logger,
    handler: (items) => items.forEach((item) => appended.set(item.item_id, item)),
  });
  subscribeBatches(gateway, {
    subject: unavailableReplySubject('test'),
    item: submissionUnavailable,
    logger,
    handler: (items) => items.forEach((item) => unavailable.set(item.item_id, item)),
  });
  await Promise.all([gateway.flush(), ledger.flush()]);

  return {
    engines,
    gateway,
    approvals,
    client,
    admin,
    appended,
    unavailable,
    create: (org_id: string, members: Parameters<typeof content>[0] = {}) =>
      client.request(commands.create_policy, { ...change(org_id), policy: content(members) }),
    update: (org_id: string, policy_id: string, patch: PolicyPatch, expected_version: number | null = null) =>
      client.request(commands.update_policy, { ...change(org_id), policy_id, patch, expected_version }),
    remove: (org_id: string, policy_id: string, expected_version: number | null = null) =>
      client.request(commands.delete_policy, { ...change(org_id), policy_id, expected_version }),
    versions: (org_id: string, policy_id: string, cursor: string | null = null, limit = 200) =>
      client.request(commands.list_versions, { org_id, policy_id, cursor, limit }),
    list: (org_id: string, options: { cursor?: string | null; limit?: number; action_type?: string } = {}) =>
      client.request(commands.list_policies, {
        org_id,
        action_type: options.action_type ?? null,
        active: null,
        cursor: options.cursor ?? null,
        limit: options.limit ?? 200,
      }),
    check: (org_id: string, action_type: string, metadata: Record<string, unknown> = {}) =>
      client.request(commands.check, {
        org_id,
        agent: { ...builder },
        action_type,
        metadata,
        data_accessed: [],
      }),
    /** Only a service that projects the events may replay them: here the ledger. */
    replay: (org_id: string) =>
      new CommandClient(ledger, answersWithinMs).request(commands.replay, {
        after_gpos: 0,
        limit: 500,
        org_id,
      }),
    /** As the approval-service asks. */
    judgeAgain: (org_id: string, ...items: CommandRequest<typeof commands.rejudge>['items']) =>
      new CommandClient(approvals, answersWithinMs).request(commands.rejudge, { org_id, items }),
    submit: (...items: unknown[]) => publishBatches(gateway, evaluateSubject, Date.now() + 60_000, items),
    fresh: () => engines.every((engine) => engine.policies.fresh()),
    /** The version of the governing policy, as each replica sees it. */
    governs: (org_id: string, action_type: string) =>
      engines.map((engine) => engine.policies.of(org_id).governing(action_type)?.ref.version),
    stopEngines: () => Promise.all(engines.splice(0).map((engine) => engine.stop())),
    startEngines: async () => void engines.push(await start(), await start()),
    close: async () => {
      await Promise.all(engines.map((engine) => engine.stop()));
      await Promise.all([gateway.close(), ledger.close(), approvals.close(), admin.end()]);
    },
  };
}
export type EngineFixture = Awaited<ReturnType<typeof openEngineFixture>>;

export const refusal = (request: Promise<unknown>): Promise<Refused> =>
  request.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refused,
  );

export function submission(org_id: string, members: Partial<SubmissionItem> = {}): SubmissionItem {
  return {
    item_id: typeid('evt').toString(),
    gateway: 'test',
    org_id,
    agent: { ...builder },
    action_type: 'deploy.production',
    metadata: '{}',
    data_accessed: '[]',
    action_digest: 'd'.repeat(43),
    client_event_id: null,
    delegation_id: null,
    want_grant: false,
    correlation_id: 'req-1',
    traceparent: null,
    ...members,
  };
}
