import { type DomainEvent, type WireEvent } from '@agentlattice/contracts';
import {
  type Disclosed,
  type EntryDecision,
  type EntryDoor,
  entryDoors,
  type EntrySource,
} from '@agentlattice/ledger';
import type { EventDraft } from './draft.js';

/** Which events of other services decide something; all others only record (decisions §1). */
const decisions: Readonly<Record<string, EntryDecision>> = {
  'approval.escalated': 'escalated',
  'approval.approved': 'approved',
  'approval.denied': 'denied',
  'approval.timed_out': 'timed_out',
  'approval.cancelled': 'cancelled',
};
/** Decisions that a person can make; `resolved_by` is then that person. */
const personal: ReadonlySet<string> = new Set(['approval.approved', 'approval.denied']);

type Source = Exclude<EntrySource, 'audit-ledger'>;
type Data = Readonly<Record<string, unknown>>;

/** What the log says of an event of another service. Its data was checked against its schema before. */
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
    // Events carry no erasable values; where the source hands over a reason or a note, it comes in here.
    content,
    facts: {
      type: event.type,
      org_id: event.org_id,
      action_type: event.type.startsWith('approval.') ? text(data['action_type']) : policyPattern(data),
      agent: agentOf(data),
      operator,
      decision: decisions[event.type] ?? null,
      resolved_by: personal.has(event.type) ? (operator?.id ?? null) : null,
      policy: policyOf(data),
      approval_id: text(data['approval_id']),
      correlation_id: event.correlation_id,
      private: {},
    },
  };
}

/** People and service keys act as operators; agents and the system do not. */
function operatorOf({ actor }: WireEvent): { id: string; via: EntryDoor } | null {
  if (actor === null || (actor.kind !== 'operator' && actor.kind !== 'service')) return null;
  const id = actor.id ?? actor.key_id;
  const via = entryDoors.find((door) => door === actor.via);
  return id === null || via === undefined ? null : { id, via };
}

function agentOf(data: Data): { id: string; name: string } | null {
  const { agent } = data;
  if (!isRecord(agent)) return null;
  const id = text(agent['id']);
  const name = text(agent['name']);
  return id === null || name === null ? null : { id, name };
}

/** A policy's own event names its members; all others carry a reference. */
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
