import {
  openSubject,
  type OpenItem,
  type SubmissionAnswer,
  submissionAnswer,
  submissionReplySubject,
} from '@agentlattice/contracts';
import {
  CommandClient,
  connectNats,
  ensureEventStream,
  publishBatches,
  subscribeBatches,
} from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { answersWithinMs, eventually } from '@agentlattice/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import { typeid } from 'typeid-js';

export const logger = createLogger('test', 'silent');
export const newId = (prefix: 'apr' | 'evt' | 'org' | 'agt' | 'pol') => typeid(prefix).toString();
const agent = { id: newId('agt'), name: 'builder', owner_member_id: null };
const policy = { id: newId('pol'), name: 'production deployments', version: 3, hash: 'a'.repeat(64) };
let sequence = 0;

/** A requested action as the ledger forwards it, with a deadline `inMs` from now. */
export function requested(org: string, inMs = 60_000, changes: Partial<OpenItem> = {}): OpenItem {
  const now = Date.now();
  return {
    item_id: `i${String(sequence++)}`,
    gateway: 'g1',
    org_id: org,
    approval_id: newId('apr'),
    audit_event_id: newId('evt'),
    agent,
    action_type: 'deploy.production',
    action_digest: 'd'.repeat(43),
    metadata: '{"pr_size":512}',
    data_accessed: '[{"table":"users"}]',
    policy,
    conditions_evaluated: [{ field: 'pr_size', operator: 'lt', expected: 100, result: false }],
    terms: {
      timeout_ms: Math.max(1, inMs),
      approvals_required: 2,
      denials_required: 1,
      approver_groups: [],
      separation_of_duties: false,
      escalation: [],
      on_removed: 'approve',
      on_no_approver: 'escalate',
    },
    judged_at: new Date(now).toISOString(),
    requested_at: new Date(now).toISOString(),
    timeout_at: new Date(now + inMs).toISOString(),
    correlation_id: 'c1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    replayed: false,
    ...changes,
  };
}

/** Fakes of the ledger and of a gateway, with the messages that the approval-service exchanges with them. */
export interface Neighbours {
  readonly ledger: NatsConnection;
  readonly gateway: NatsConnection;
  readonly client: CommandClient;
  /** By item id, in order of arrival. */
  readonly answers: Map<string, SubmissionAnswer[]>;
  /** Approval ids. */
  readonly wakes: string[];
  open(...items: unknown[]): void;
  /** Sends the items until each is open, as agents do when a service that is busy or was killed answers none of them or refuses. */
  openUntilAnswered(...items: OpenItem[]): Promise<void>;
  close(): Promise<void>;
}

export async function neighbours(natsUrl: (user: 'audit-ledger' | 'gateway') => string): Promise<Neighbours> {
  const ledger = await connectNats({ url: natsUrl('audit-ledger'), service: 'audit-ledger', instance: 't' });
  const gateway = await connectNats({ url: natsUrl('gateway'), service: 'gateway', instance: 'g1' });
  await ensureEventStream(ledger);
  const answers = new Map<string, SubmissionAnswer[]>();
  const wakes: string[] = [];
  subscribeBatches(gateway, {
    subject: submissionReplySubject('g1'),
    item: submissionAnswer,
    logger,
    handler: (items) => {
      for (const item of items) answers.set(item.item_id, [...(answers.get(item.item_id) ?? []), item]);
    },
  });
  gateway.subscribe('wake.*', {
    callback: (_error, { subject }) => void wakes.push(subject.slice('wake.'.length)),
  });
  await gateway.flush();
  const open = (...items: unknown[]) => publishBatches(ledger, openSubject, Date.now() + 30_000, items);
  const isOpened = ({ item_id }: OpenItem) =>
    answers.get(item_id)?.some(({ outcome }) => outcome !== null) === true;
  return {
    ledger,
    gateway,
    client: new CommandClient(gateway, answersWithinMs),
    answers,
    wakes,
    open,
    openUntilAnswered: async (...items) => {
      // Not all at once, so that those that wait are not refused for it.
      for (let i = 0; i < items.length; i += 100)
        await eventually(
          () => {
            const left = items.slice(i, i + 100).filter((item) => !isOpened(item));
            open(...left);
            return left.length === 0;
          },
          { within: 60_000, every: 250 },
        );
    },
    close: async () => {
      await gateway.close();
      await ledger.close();
    },
  };
}
