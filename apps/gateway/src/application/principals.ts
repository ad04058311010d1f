import {
  type Actor,
  type AgentView,
  durationMs,
  type EventData,
  type KeyView,
  type MemberView,
  type NewKeyView,
  Refused,
  serviceScopes,
} from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import argon2 from 'argon2';
import { typeid } from 'typeid-js';
import { agentDecider, type AgentCommand, ownerOf } from '../domain/agent.js';
import { keyDecider } from '../domain/key.js';
import { memberDecider } from '../domain/member.js';
import { lesserRole } from '../domain/principal.js';
import type { NewMember, PrincipalStore } from '../outbound/principal-store.js';
import { type KeyTerms, newKey, type NewKey } from './new-key.js';

/** Who asks, in which workspace. */
export interface Asked {
  readonly orgId: string;
  readonly meta: EventMeta & { readonly actor: Actor };
  /** The member behind the asker: the operator, or who made the service key. */
  readonly memberId: string | null;
}

type MemberDraft = Omit<NewMember, 'id' | 'passwordHash'> & { readonly password: string };

/** Workspaces, members, agents and keys: every change is an event and its rows, in one transaction. */
export class Principals {
  constructor(
    private readonly store: PrincipalStore,
    /** Makes this gateway know a change at once; others hear of it within a second. */
    private readonly refresh: () => Promise<void>,
  ) {}

  async registerAgent(
    { orgId, meta, memberId }: Asked,
    draft: { name: string; description: string | null },
  ): Promise<{ agent: AgentView; key: string }> {
    const { store } = this;
    const id = typeid('agt').toString();
    const ownerMemberId = ownerOf(meta.actor, memberId);
    const key = newKey({ name: draft.name, kind: 'agent', agentId: id });
    const registered = agentDecider.decide(
      { type: 'RegisterAgent', id, ...draft, ownerMemberId },
      agentDecider.initialState(),
    );
    await store.inTransaction(async (tx) => {
      await store.insertAgent(tx, orgId, { id, ...draft, ownerMemberId });
      await store.insertKey(tx, orgId, key, memberId);
      await store.begin(tx, orgId, meta, [{ id, events: registered }, firstEventOf(key)]);
    });
    await this.refresh();
    return { agent: await this.agentOf(orgId, id), key: key.key };
  }

  async changeAgent(
    { orgId, meta }: Asked,
    agentId: string,
    command: Exclude<AgentCommand, { type: 'RegisterAgent' }>,
    reason: string | null = null,
  ): Promise<AgentView> {
    await this.agentOf(orgId, agentId);
    await this.store.events.update({
      decider: agentDecider,
      orgId,
      streamId: agentId,
      command,
      meta,
      project: (tx, events) => this.store.projectAgent(tx, events, reason),
    });
    await this.refresh();
    return this.agentOf(orgId, agentId);
  }

  async createMember({ orgId, meta }: Asked, { password, ...draft }: MemberDraft): Promise<MemberView> {
    const member = { ...draft, id: typeid('mbr').toString(), passwordHash: await argon2.hash(password) };
    const memberId = await this.store.inTransaction((tx) => this.addMember(tx, orgId, meta, member));
    await this.refresh();
    const view = await this.store.member(orgId, memberId);
    if (view === undefined) throw new Error('a member that was just made is gone');
    return view;
  }

  async createKey({ orgId, meta, memberId }: Asked, terms: KeyTerms): Promise<NewKeyView> {
    const key = newKey(await this.completed(orgId, terms));
    const { store } = this;
    await store.inTransaction(async (tx) => {
      await store.insertKey(tx, orgId, key, memberId);
      await store.begin(tx, orgId, meta, [firstEventOf(key)]);
    });
    await this.refresh();
    return { ...(await this.keyOf(orgId, key.id)), key: key.key };
  }

  /** The new key has the old one's terms; the old one works until the overlap ends. */
  async rotateKey({ orgId, meta, memberId }: Asked, keyId: string, overlap: string): Promise<NewKeyView> {
    const { store } = this;
    const old = await this.keyOf(orgId, keyId);
    const { name, kind, role, scopes, member_id, agent_id, expires_at } = old;
    const key = newKey({
      name,
      kind,
      role,
      scopes,
      memberId: member_id,
      agentId: agent_id,
      expiresAt: expires_at,
    });
    const overlapMs = durationMs(overlap) ?? 0;
    let overlapUntil = '';
    await store.events.update({
      decider: keyDecider,
      orgId,
      streamId: keyId,
      command: (now: Date) => {
        overlapUntil = new Date(now.getTime() + overlapMs).toISOString();
        return { type: 'RotateKey' as const, successorId: key.id, overlapUntil };
      },
      meta,
      project: async (tx) => {
        await store.endKeyAt(tx, orgId, keyId, overlapUntil);
        await store.insertKey(tx, orgId, key, memberId);
        await store.begin(tx, orgId, meta, [firstEventOf(key)]);
      },
    });
    await this.refresh();
    return { ...(await this.keyOf(orgId, key.id)), key: key.key };
  }

  async revokeKey({ orgId, meta }: Asked, keyId: string): Promise<KeyView> {
    await this.keyOf(orgId, keyId);
    await this.store.events.update({
      decider: keyDecider,
      orgId,
      streamId: keyId,
      command: { type: 'RevokeKey' },
      meta,
      project: (tx) => this.store.revokeKey(tx, orgId, keyId),
    });
    await this.refresh();
    return this.keyOf(orgId, keyId);
  }

  async createWorkspace(
    meta: EventMeta,
    name: string,
    { password, ...admin }: Pick<MemberDraft, 'email' | 'name' | 'password'>,
  ): Promise<{ orgId: string; adminKey: string; serviceKey: string }> {
    const orgId = typeid('org').toString();
    const passwordHash = await argon2.hash(password);
    const member = {
      ...admin,
      id: typeid('mbr').toString(),
      role: 'admin',
      groups: [],
      passwordHash,
    } as const;
    const { store } = this;
    const keys = await store.inTransaction(async (tx) => {
      await store.insertWorkspace(tx, orgId, name);
      const memberId = await this.addMember(tx, orgId, meta, member);
      const adminKey = newKey({ name: 'administrator', kind: 'operator', role: 'admin', memberId });
      const serviceKey = newKey({ name: 'automation', kind: 'service', scopes: serviceScopes });
      for (const key of [adminKey, serviceKey]) await store.insertKey(tx, orgId, key, memberId);
      await store.begin(tx, orgId, meta, [firstEventOf(adminKey), firstEventOf(serviceKey)]);
      return { adminKey: adminKey.key, serviceKey: serviceKey.key };
    });
    await this.refresh();
    return { orgId, ...keys };
  }

  async agentOf(orgId: string, id: string): Promise<AgentView> {
    const agent = await this.store.agent(orgId, id);
    if (agent === undefined) throw new Refused('NOT_FOUND', 'there is no such agent in this workspace');
    return agent;
  }

  private async keyOf(orgId: string, id: string): Promise<KeyView> {
    const key = await this.store.key(orgId, id);
    if (key === undefined) throw new Refused('NOT_FOUND', 'there is no such key in this workspace');
    return key;
  }

  /** @throws Refused EMAIL_TAKEN when the person is a member of the workspace already */
  private async addMember(
    tx: Parameters<Parameters<PrincipalStore['inTransaction']>[0]>[0],
    orgId: string,
    meta: EventMeta,
    member: NewMember,
  ): Promise<string> {
    const memberId = await this.store.ensurePerson(tx, member);
    if (!(await this.store.insertMembership(tx, orgId, memberId, member)))
      throw new Refused('EMAIL_TAKEN', 'this person is a member of the workspace already');
    const { role, groups } = member;
    const events = memberDecider.decide(
      { type: 'CreateMember', id: memberId, role, groups },
      memberDecider.initialState(),
    );
    await this.store.begin(tx, orgId, meta, [{ id: memberId, events }]);
    return memberId;
  }

  /** Whoever a key is for must be of the workspace; an operator's key is at most the member's role (decisions §3.3). */
  private async completed(orgId: string, terms: KeyTerms): Promise<KeyTerms> {
    if (terms.kind === 'agent') await this.agentOf(orgId, terms.agentId ?? '');
    if (terms.kind !== 'operator') return terms;
    const member = await this.store.member(orgId, terms.memberId ?? '');
    if (member === undefined) throw new Refused('NOT_FOUND', 'there is no such member in this workspace');
    return { ...terms, role: lesserRole(terms.role ?? member.role, member.role) };
  }
}

/** The stream of a key and the event it begins with. */
export function firstEventOf(key: NewKey) {
  const facts: EventData<'key.created'> = {
    key_id: key.id,
    kind: key.kind,
    role: key.role ?? null,
    scopes: [...(key.scopes ?? [])],
    member_id: key.memberId ?? null,
    agent_id: key.agentId ?? null,
    expires_at: key.expiresAt ?? null,
  };
  return { id: key.id, events: keyDecider.decide({ type: 'CreateKey', facts }, keyDecider.initialState()) };
}
