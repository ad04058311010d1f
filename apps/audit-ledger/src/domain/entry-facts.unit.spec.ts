import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type DomainEvent,
  eventTypes,
  eventTypesOf,
  readEvent,
  type WireEvent,
  wireEvent,
} from '@agentlattice/contracts';
import { chainEntry, commit, emptyChain, isEntryType } from '@agentlattice/ledger';
import { typeidUnboxed } from 'typeid-js';
import { newOrg, sampleAgent, samplePolicy } from '../../test/sample-items.js';
import { draftOf, mayHaveErasableValues } from './entry-facts.js';

const member = typeidUnboxed('mbr');
const operator: WireEvent['actor'] = { kind: 'operator', id: member, key_id: null, via: 'dashboard' };
const approval = {
  approval_id: typeidUnboxed('apr'),
  action_type: 'mail.send',
  agent: { id: sampleAgent.id, name: 'bot', owner_member_id: null },
  policy: samplePolicy,
};
const read = (type: string, data: object, actor: WireEvent['actor'] = operator) =>
  draftOf({
    event_id: typeidUnboxed('evt'),
    type,
    schema_version: 1,
    source: 'approval-service',
    gpos: 7,
    source_seq: 3,
    org_id: newOrg(),
    stream_id: 'stream',
    version: 1,
    occurred_at: '2026-11-25T07:00:00+01:00',
    correlation_id: null,
    traceparent: null,
    actor,
    data,
  } as unknown as WireEvent & DomainEvent & { source: 'approval-service' });

it.each([
  ['approval.opened', null, null],
  ['approval.vote_cast', null, null],
  ['approval.vote_withdrawn', null, null],
  ['approval.policy_changed', null, null],
  ['approval.escalated', 'escalated', null],
  ['approval.approved', 'approved', member],
  ['approval.denied', 'denied', member],
  ['approval.cancelled', 'cancelled', null],
  ['approval.timed_out', 'timed_out', null],
  ['approval.grant_consumed', null, null],
])('gives %s its decision and its resolver', (type, decision, resolved_by) => {
  expect(read(type, approval).facts).toMatchObject({
    decision,
    resolved_by,
    action_type: 'mail.send',
    agent: { id: sampleAgent.id, name: 'bot' },
    policy: samplePolicy,
    approval_id: approval.approval_id,
    operator: { id: member, via: 'dashboard' },
  });
});

describe('every event of an approval as it is released', () => {
  const golden = fileURLToPath(new URL('../../../../libs/contracts/golden/released', import.meta.url));
  const files = readdirSync(golden).flatMap((release) =>
    readdirSync(join(golden, release))
      .filter((name) => /^approval\..*\.json$/.test(name))
      .map((name) => [name, join(golden, release, name)] as const),
  );

  it.each(files)('%s becomes an entry of version 1', (_, path) => {
    const event = readEvent(wireEvent.parse(JSON.parse(readFileSync(path, 'utf8'))));
    const content = { reason: { salt: '01'.repeat(16), value: '"because"' } };
    const { facts } = draftOf({ ...event, source: 'approval-service' }, content);
    const { policy, approval_id } = event.data as { policy: object; approval_id: string };
    expect(facts).toMatchObject({ type: event.type, policy, approval_id });
    expect(facts.private).toEqual({ reason: commit('reason', '01'.repeat(16), '"because"') });
    const place = { id: event.event_id, time: event.occurred_at, source: event.source, source_seq: 1 };
    expect(() => chainEntry(emptyChain('test/log'), { ...facts, ...place })).not.toThrow();
  });

  it('has erasable values requested if it may have any', () => {
    const types = eventTypesOf('approval-service');
    expect(types.filter((type) => !mayHaveErasableValues(type))).toEqual([
      'approval.opened',
      'approval.grant_consumed',
      'approval.timed_out',
    ]);
    expect(mayHaveErasableValues('agent.suspended')).toBe(true);
    expect(mayHaveErasableValues('agent.registered')).toBe(false);
    expect(mayHaveErasableValues('constructor')).toBe(false);
  });
});

it('has no resolver when a change of policy decided', () => {
  const change = { event_id: 'evt_1', type: 'policy.deleted' };
  expect(read('approval.denied', { ...approval, change }).facts.resolved_by).toBeNull();
});

it('takes the number and the time of its source, the time in UTC', () => {
  expect(read('approval.approved', approval)).toMatchObject({
    gpos: 7,
    sourceSeq: 3,
    time: '2026-11-25T06:00:00.000Z',
    source: 'approval-service',
  });
});

it.each([
  ['nobody', null],
  ['the system', { kind: 'system', id: null, key_id: null, via: 'system' }],
  ['an agent', { kind: 'agent', id: sampleAgent.id, key_id: null, via: 'api' }],
])('has no operator when %s acted', (_, actor) => {
  expect(read('approval.approved', approval, actor as WireEvent['actor']).facts).toMatchObject({
    operator: null,
    resolved_by: null,
  });
});

it('reads a policy from its own event, and none from an incomplete one', () => {
  const policy = { policy_id: samplePolicy.id, name: 'Sample', version: 3, hash: samplePolicy.hash };
  const event = { ...policy, content: { action_type: 'mail.*' } };
  expect(read('policy.created', event).facts).toMatchObject({ policy: samplePolicy, action_type: 'mail.*' });
  expect(read('policy.created', { ...event, hash: undefined }).facts.policy).toBeNull();
  expect(read('policy.created', { agent: [], policy: 'x' }).facts).toMatchObject({
    agent: null,
    policy: null,
  });
});

it('every event type of another service is known to the format, or its source would be stuck', () =>
  expect(eventTypes.filter((type) => !isEntryType(type))).toEqual([]));
