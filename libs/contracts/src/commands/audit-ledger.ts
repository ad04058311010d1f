import { z } from 'zod';
import { auditEvent, auditFilter, auditVerification } from '../audit/audit.js';
import { posture } from '../audit/posture.js';
import { outcomeStatuses, reportResult } from '../audit/report.js';
import { wireEvent } from '../events/wire-event.js';
import { instant, sha256Hex, typeId } from '../primitives.js';
import { openItem } from '../submission/items.js';
import { command } from './command.js';
import { ping, replay } from './every-service.js';

const org = { org_id: typeId('org') };

/** What the approval-service needs to open an approval that it does not know (design §1). */
export const requestedAction = openItem.omit({ item_id: true, gateway: true, replayed: true });
export type RequestedAction = z.infer<typeof requestedAction>;

/** The content of the newest entry of a policy. */
export const recordedPolicy = z.object({
  ...org,
  policy_id: typeId('pol'),
  name: z.string(),
  version: z.number().int().min(1),
  hash: sha256Hex(),
  action_type: z.string(),
  deleted: z.boolean(),
});
export type RecordedPolicy = z.infer<typeof recordedPolicy>;

/** The value of an erasable field: its salt in lower-case hex, and its RFC 8785 text. */
const disclosedValue = z.object({ salt: z.string(), value: z.string() });
const disclosedContent = z.object({
  seq: z.number().int().min(0),
  id: typeId('evt'),
  fields: z.partialRecord(z.enum(['data_accessed', 'metadata', 'note', 'reason']), disclosedValue),
});
export type DisclosedContent = z.infer<typeof disclosedContent>;

export const jwk = z.record(z.string(), z.unknown()).and(
  z.object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    kid: z.string(),
    use: z.literal('sig'),
    alg: z.literal('EdDSA'),
  }),
);

export const auditLedgerCommands = {
  search: command(
    'audit-ledger',
    'search',
    auditFilter.extend({
      ...org,
      /** Also the entries of agents that act for `agent_id`: what an agent sees (decisions §3.5). */
      with_delegates: z.boolean().optional(),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    z.object({ events: z.array(auditEvent), next_cursor: z.string().nullable() }),
  ),
  /** Canonical bytes as UTF-8 text, in order of `seq`; the reply is limited to 512 KiB, so it may have fewer than `limit`. */
  entries: command(
    'audit-ledger',
    'entries',
    z.object({ ...org, from: z.number().int().min(0), limit: z.number().int().min(1).max(1000) }),
    z.object({ entries: z.array(z.string()), size: z.number().int().min(0) }),
  ),
  /**
   * The erasable values that remain, with their salts, of the entries from `from` on, in order. `next`: the entry after the last one
   * that was looked at; the reply is limited as that of `entries`.
   */
  disclosed: command(
    'audit-ledger',
    'disclosed',
    z.object({ ...org, from: z.number().int().min(0), limit: z.number().int().min(1).max(1000) }),
    z.object({ contents: z.array(disclosedContent), next: z.number().int().min(0) }),
  ),
  checkpoint: command(
    'audit-ledger',
    'checkpoint',
    z.object(org),
    z.object({ note: z.string(), size: z.number().int() }),
  ),
  verifier_key: command('audit-ledger', 'verifier_key', z.object(org), z.object({ key: z.string() })),
  verify: command('audit-ledger', 'verify', z.object({ ...org, wait: z.boolean() }), auditVerification),
  requested_action: command(
    'audit-ledger',
    'requested_action',
    z.object({ ...org, approval_id: typeId('apr') }),
    requestedAction,
    ['approval-service'],
  ),
  /** The grant of an allowed action, within its window; the same token at every call. */
  issue_grant: command(
    'audit-ledger',
    'issue_grant',
    z.object({ ...org, agent_id: typeId('agt'), audit_event_id: typeId('evt') }),
    z.object({ grant: z.string(), expires_at: instant() }),
  ),
  /** The outcome of an action of the agent. Only the active writer accepts it; the entry is on disk before the answer. */
  report: command(
    'audit-ledger',
    'report',
    z.object({
      ...org,
      agent_id: typeId('agt'),
      audit_event_id: z.string(),
      status: z.enum(outcomeStatuses),
      message: z.string().nullable(),
      /** The RFC 8785 text of an object, as in submissions. */
      metadata: z.string().nullable(),
    }),
    reportResult,
  ),
  /** `agent_id` null: of the whole workspace. */
  posture: command(
    'audit-ledger',
    'posture',
    z.object({ ...org, agent_id: typeId('agt').nullable() }),
    posture,
  ),
  /**
   * Committed events of the approval-service in order of `gpos`, with their erasable values. They are in the log when it
   * answers. Only the active writer accepts them; it fetches missing earlier events itself.
   */
  append_events: command(
    'audit-ledger',
    'append_events',
    z.object({
      events: z.array(wireEvent).min(1).max(512),
      /** An event that is not in it has no erasable values. */
      erasable: z.array(
        z.object({ event_id: z.string(), reason: z.string().nullable(), note: z.string().nullable() }),
      ),
    }),
    z.object({}),
    ['approval-service'],
  ),
  /**
   * The newest entry of each policy, of one workspace or of all, in order of workspace and policy. `gpos`: all events of the
   * policy-engine up to this number are in the logs.
   */
  recorded_policies: command(
    'audit-ledger',
    'recorded_policies',
    z.object({
      org_id: typeId('org').nullable(),
      after: z.object({ org_id: typeId('org'), policy_id: typeId('pol') }).nullable(),
      limit: z.number().int().min(1).max(500),
    }),
    z.object({ policies: z.array(recordedPolicy), gpos: z.number().int().min(0), complete: z.boolean() }),
    ['policy-engine'],
  ),
  jwks: command('audit-ledger', 'jwks', z.object({}), z.object({ keys: z.array(jwk) })),
  replay: replay('audit-ledger'),
  ping: ping('audit-ledger'),
};
