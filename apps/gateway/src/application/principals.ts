import {
  type Actor,
  type AgentView,
  durationMs,
  type KeyView,
  type MemberView,
  type NewKeyView,
  Refused,
} from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import argon2 from 'argon2';
import { typeid } from 'typeid-js';
import { agentDecider, type AgentCommand, ownerOf } from '../domain/agent.js';
import { keyDecider } from '../domain/key.js';
import { holdersOf, type KeyOrigin, mayEndKey } from '../domain/key-maker.js';
import type { KeyTerms } from '../domain/new-key.js';
import { lesserRole } from '../domain/principal.js';
import type { NewMembership, PrincipalStore } from '../outbound/principal-store.js';
import { firstEventOf, firstEventOfMember } from './first-events.js';
import { newKey } from './new-key.js';

/** The caller, the workspace and the request of a change. */
export interface RequestContext {
  readonly orgId: string;
  readonly meta: EventMeta & { readonly actor: Actor };
  /** The member behind the caller: the operator, or the maker of the service key. */
  readonly memberId: string | null;
  /** Whether the key that asks carries the rights over the instance. */
  readonly instanceAdmin: boolean;
  /** Where a key of that member, or of none, comes from that is made by this call. */
  readonly originOf: (memberId: string | null) => KeyOrigin;
}

type MemberDraft = Omit<NewMembership, 'id' | 'personId' | 'status'> & { readonly password: string };

/** Workspaces, members, agents and keys: every change is an event and its rows, in one transaction. */
export class Principals {
  constructor(
    private readonly store: PrincipalStore,
    /** Makes this gateway know a change at once; others hear of it within a second. */
    private readonly refresh: () => Promise<void>,
  ) {}

  /** @throws Refused NAME_TAKEN: policies may test the name and people read it, so it must not mean two */
  async registerAgent(
    { orgId, meta, memberId, originOf }: RequestContext,
    draft: { name: string; description: string | null },
  ): Promise<{ agent: AgentView; key: string }> {
    const { store } = this;
    const id = typeid('agt').toString();
    const ownerMemberId = ownerOf(meta.actor, memberId);
    const key = newKey({ name: draft.name, kind: 'agent', agentId: id }, originOf(null));
    const registered = agentDecider.decide(
      { type: 'RegisterAgent', id, ...draft, ownerMemberId },
      agentDecider.initialState(),
    );
    await store.inTransaction(async (tx) => {
      await store.insertAgent(tx, orgId, { id, ...draft, ownerMemberId, registrants: holdersOf(key) });
      if (!(await store.takeAgentName(tx, orgId, { id, name: draft.name })))
        throw new Refused(
          'NAME_TAKEN',
          'another agent of this workspace has this name, or one that reads the same',
          {
            errors: [{ pointer: '/name', detail: 'is taken' }],
          },
        );
      await store.insertKey(tx, orgId, key);
      await store.begin(tx, orgId, meta, [{ id, events: registered }, firstEventOf(key)]);
    });
    await this.refresh();
    return { agent: await this.agentOf(orgId, id), key: key.key };
  }

  async changeAgent(
    { orgId, meta }: RequestContext,
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

  /**
   * Adds a person. An address that has an account already becomes an invitation under an id of its own: neither the
   * answer nor the log says who that is, the account stays as it is, and only its person can accept.
   */
  async createMember(
    { orgId, meta }: RequestContext,
    { password, ...draft }: MemberDraft,
  ): Promise<MemberView> {
    // Also where it is not used: the time an answer takes must not tell whether the address has an account.
    const passwordHash = await argon2.hash(password);
    const memberId = await this.store.inTransaction((tx) =>
      this.addMember(tx, orgId, meta, draft, passwordHash),
    );
    await this.refresh();
    const view = await this.store.member(orgId, memberId);
    if (view === undefined) throw new Error('a member that was just made is gone');
    return view;
  }

  async createKey({ orgId, meta, originOf }: RequestContext, terms: KeyTerms): Promise<NewKeyView> {
    const key = newKey(await this.completed(orgId, terms), originOf(terms.memberId ?? null));
    const { store } = this;
    await store.inTransaction(async (tx) => {
      await store.insertKey(tx, orgId, key);
      await store.begin(tx, orgId, meta, [firstEventOf(key)]);
    });
    await this.refresh();
    return { ...(await this.keyOf(orgId, key.id)), key: key.key };
  }

  /**
   * The new key has the old one's terms; the old one works until the overlap ends.
   * @throws Refused FORBIDDEN for another person's key with rights over the instance
   */
  async rotateKey(context: RequestContext, keyId: string, overlap: string): Promise<NewKeyView> {
    const { store } = this;
    const { orgId, meta, originOf } = context;
    const old = await this.endableKey(context, keyId);
    const { name, kind, role, scopes, member_id, agent_id, expires_at } = old;
    const key = newKey(
      { name, kind, role, scopes, memberId: member_id, agentId: agent_id, expiresAt: expires_at },
      originOf(member_id),
    );
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
        await store.insertKey(tx, orgId, key);
        await store.begin(tx, orgId, meta, [firstEventOf(key)]);
      },
    });
    await this.refresh();
    return { ...(await this.keyOf(orgId, key.id)), key: key.key };
  }

  /** @throws Refused FORBIDDEN as `rotateKey` */
  async revokeKey(context: RequestContext, keyId: string): Promise<KeyView> {
    const { orgId, meta } = context;
    await this.endableKey(context, keyId);
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

  private async endableKey(context: RequestContext, id: string): Promise<KeyView> {
    const key = await this.keyOf(context.orgId, id);
    const instanceAdmin = await this.store.hasInstanceRights(context.orgId, id);
    if (!mayEndKey(context, { memberId: key.member_id, instanceAdmin }))
      throw new Refused(
        'FORBIDDEN',
        'this key carries rights over the instance, so only its person ends it, with a key that carries them as well',
      );
    return key;
  }

  /** @throws Refused EMAIL_TAKEN when the person is a member of the workspace already, or was invited */
  private async addMember(
    tx: Parameters<Parameters<PrincipalStore['inTransaction']>[0]>[0],
    orgId: string,
    meta: EventMeta,
    draft: Omit<MemberDraft, 'password'>,
    passwordHash: string,
  ): Promise<string> {
    const id = typeid('mbr').toString();
    const person = { id, email: draft.email, passwordHash };
    const { personId, isNew } = await this.store.ensurePerson(tx, orgId, person);
    const status = isNew ? 'active' : 'invited';
    if (!(await this.store.insertMembership(tx, orgId, { ...draft, id, personId, status })))
      throw new Refused('EMAIL_TAKEN', 'this person is a member of the workspace already, or was invited');
    const first = firstEventOfMember(isNew ? 'CreateMember' : 'InviteMember', { ...draft, id });
    await this.store.begin(tx, orgId, meta, [first]);
    return id;
  }

  /** The agent or member of a key must be of the workspace; an operator's key is at most the member's role (decisions §3.3). */
  private async completed(orgId: string, terms: KeyTerms): Promise<KeyTerms> {
    if (terms.kind === 'agent') await this.agentOf(orgId, terms.agentId ?? '');
    if (terms.kind !== 'operator') return terms;
    const member = await this.store.member(orgId, terms.memberId ?? '');
    if (member === undefined) throw new Refused('NOT_FOUND', 'there is no such member in this workspace');
    if (member.status !== 'active')
      throw new Refused(
        'MEMBERSHIP_NOT_ACCEPTED',
        member.status === 'invited'
          ? 'this person has an account already and has not accepted the invitation yet; a key can be made once they have'
          : 'this person declined the invitation; a key can be made once they accept it after all',
      );
    return { ...terms, role: lesserRole(terms.role ?? member.role, member.role) };
  }
}
