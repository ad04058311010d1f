import type { DomainEvent, EventType, WireEvent } from '@agentlattice/contracts';
import {
  type Disclosed,
  type EntryDecision,
  type EntryVia,
  entryVias,
  type EntrySource,
} from '@agentlattice/ledger';
import { commitmentsOf } from './commitments.js';
import type { EntryFacts, EventDraft } from './draft.js';

type ApprovalEvent = Extract<EventType, `approval.${string}`>;

interface ApprovalEntry {
  /** Null: no decision, as for the other events of other services (decisions §1). */
  readonly decision: EntryDecision | null;
  /** Whether the event may have erasable values: a person's reason or the system's note. */
  readonly hasValues: boolean;
}

/** How each event of an approval is entered in the log; a missing one does not compile. */
const approvalEntries: Readonly<Record<ApprovalEvent, ApprovalEntry>> = {
  'approval.opened': { decision: null, hasValues: false },
  'approval.vote_cast': { decision: null, hasValues: true },
  'approval.vote_withdrawn': { decision: null, hasValues: true },
  'approval.escalated': { decision: 'escalated', hasValues: true },
  'approval.policy_changed': { decision: null, hasValues: true },
  'approval.approved': { decision: 'approved', hasValues: true },
  'approval.denied': { decision: 'denied', hasValues: true },
  'approval.cancelled': { decision: 'cancelled', hasValues: true },
  'approval.timed_out': { decision: 'timed_out', hasValues: false },
  'approval.grant_consumed': { decision: null, hasValues: false },
};
const approvalEntryOf = (type: string): ApprovalEntry | undefined =>
  Object.hasOwn(approvalEntries, type) ? approvalEntries[type as ApprovalEvent] : undefined;

/** Whether the entry of such an event may commit to a reason or a note, which its source stores. */
export const mayHaveErasableValues = (type: string): boolean =>
  approvalEntryOf(type)?.hasValues ?? type === ('agent.suspended' satisfies EventType);

type Source = Exclude<EntrySource, 'audit-ledger'>;
type Data = Readonly<Record<string, unknown>>;

/** The draft of an entry for an event of another service, whose data was checked against its schema before. */
export function draftOf(
  event: WireEvent & DomainEvent & { source: Source },
  content: Disclosed = {},
): EventDraft {
  const data = event.data as Data;
  const operator = operatorOf(event);
  return {
    kind: 'event',
    id: event.event_id,
    source: event.source,
    gpos: event.gpos,
    sourceSeq: event.source_seq,
    time: new Date(event.occurred_at).toISOString(),
    // Events carry no erasable values; those come from their source.
    content,
    facts: {
      type: event.type,
      org_id: event.org_id,
      action_type: event.type.startsWith('approval.') ? text(data['action_type']) : policyPattern(data),
      agent: agentOf(data),
      ...delegationOf(event),
      operator,
      decision: approvalEntryOf(event.type)?.decision ?? null,
      resolved_by: resolverOf(event, data),
      policy: policyOf(data),
      approval_id: text(data['approval_id']),
      correlation_id: event.correlation_id,
      private: commitmentsOf(content),
    },
  };
}

/** The person who completed the decision; null when a change of policy or the deadline decided. */
function resolverOf({ type, actor }: WireEvent, { change }: Data): string | null {
  const decided = type === 'approval.approved' || type === 'approval.denied';
  return decided && actor?.kind === 'operator' && (change ?? null) === null ? actor.id : null;
}

/** People and service keys act as operators; agents and the system do not. */
function operatorOf({ actor }: WireEvent): { id: string; via: EntryVia } | null {
  if (actor === null || (actor.kind !== 'operator' && actor.kind !== 'service')) return null;
  const id = actor.id ?? actor.key_id;
  const via = entryVias.find((door) => door === actor.via);
  return id === null || via === undefined ? null : { id, via };
}

function agentOf(data: Data): { id: string; name: string } | null {
  const { agent } = data;
  if (!isRecord(agent)) return null;
  const id = text(agent['id']);
  const name = text(agent['name']);
  return id === null || name === null ? null : { id, name };
}

/** Who acts for whom, in the events of a delegation. */
function delegationOf(event: DomainEvent): Pick<EntryFacts, 'delegation'> {
  switch (event.type) {
    case 'delegation.created':
    case 'delegation.revoked':
    case 'delegation.expired': {
      const { delegation_id, acting_for, agent } = event.data;
      return { delegation: { id: delegation_id, chain: [...acting_for, agent] } };
    }
    default:
      return {};
  }
}

/** An event of a policy has the policy's members; all others have a reference. */
function policyOf(data: Data) {
  const policy = isRecord(data['policy']) ? data['policy'] : { ...data, id: data['policy_id'] };
  const id = text(policy['id']);
  const name = text(policy['name']);
  const hash = text(policy['hash']);
  const version = policy['version'];
  if (id === null || name === null || hash === null || typeof version !== 'number') return null;
  return { id, name, version, hash };
}

const policyPattern = (data: Data) =>
  isRecord(data['content']) ? text(data['content']['action_type']) : text(data['action_type']);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
