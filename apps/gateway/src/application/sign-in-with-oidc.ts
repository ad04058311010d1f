import { givenName } from '@agentlattice/contracts';
import type { EventMeta, Tx } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { typeid } from 'typeid-js';
import { type MappedMembership, mappedMemberships, type MappingRule } from '../domain/oidc-mapping.js';
import { memberDecider, type UpdateMember } from '../domain/member.js';
import type { MemberStore } from '../outbound/member-store.js';
import { addressOf, type OidcIdentities } from '../outbound/oidc-identities.js';
import type { OidcPerson } from '../outbound/oidc-provider.js';
import { firstEventOfMember } from './first-events.js';
import {
  endSessions,
  metaOfMember,
  type SignInContext,
  startSession,
  type StartedSession,
} from './session-ports.js';
import { noteFailure, type SignInPorts } from './sign-in.js';

export interface OidcSignInPorts extends SignInPorts {
  readonly identities: OidcIdentities;
  readonly members: MemberStore;
  readonly mapping: readonly MappingRule[];
  readonly logger: Logger;
}

/**
 * Signs in a person whom the provider has named by issuer and subject. Workspaces, role and groups follow the groups of the
 * claims at every sign-in. An account that exists is linked only by an address that the provider has verified.
 * @returns null when no group of the person is mapped
 */
export const makeSignInWithOidc = (ports: OidcSignInPorts) => {
  const { store, sessions, identities, members, mapping, logger, refresh } = ports;

  return async (person: OidcPerson, context: SignInContext): Promise<StartedSession | null> => {
    const firstOrgId = await identities.firstOrgId();
    const wanted = mappedMemberships(person.groups, mapping, firstOrgId ?? '');
    const lastOrgId = await lastOrgOf(person);
    const started = await store.inTransaction(async (tx) => {
      const known = await identities.lock(tx, person);
      const mapped = await existing(tx, wanted);
      const personId = known ?? (mapped[0] === undefined ? null : await link(tx, person, mapped[0].orgId));
      if (personId === null) return null;
      await endLostSessions(tx, personId, mapped, context);
      for (const membership of mapped) await follow(tx, personId, person, membership, context);
      const orgId = mapped.find((one) => one.orgId === lastOrgId)?.orgId ?? mapped[0]?.orgId;
      if (orgId === undefined) return null;
      const row = await identities.membership(tx, personId, orgId);
      if (row === undefined) return null;
      return startSession(ports, tx, { personId, orgId, memberId: row.memberId }, context, 'oidc');
    });
    await refresh();
    if (started === null) await noteNoAccess(person, context);
    return started;
  };

  /** Where the person's last session was. */
  async function lastOrgOf(person: OidcPerson): Promise<string | undefined> {
    const personId = await identities.personOf(person);
    return personId === undefined ? undefined : (await sessions.accountOf(personId))?.membership?.orgId;
  }

  /** A rule may name a workspace that does not exist. */
  async function existing(tx: Tx, wanted: readonly MappedMembership[]): Promise<MappedMembership[]> {
    const found: MappedMembership[] = [];
    for (const membership of wanted)
      if (await identities.workspaceExists(tx, membership.orgId)) found.push(membership);
      else
        logger.warn({ org_id: membership.orgId }, 'OIDC_ROLE_MAPPING names a workspace that does not exist');
    return found;
  }

  async function link(tx: Tx, person: OidcPerson, homeOrgId: string): Promise<string> {
    const email = person.email ?? addressOf(person);
    const draft = { id: typeid('mbr').toString(), email, passwordHash: null };
    const { personId } = await store.ensurePerson(tx, homeOrgId, draft);
    await identities.link(tx, person, personId, person.email !== null);
    return personId;
  }

  /** Brings the membership of a workspace to what the claims say. */
  async function follow(
    tx: Tx,
    personId: string,
    person: OidcPerson,
    { orgId, role, groups }: MappedMembership,
    context: SignInContext,
  ): Promise<void> {
    const meta = metaOfClaims(context);
    const row = await identities.membership(tx, personId, orgId);
    if (row === undefined) {
      const id = typeid('mbr').toString();
      const email = person.email ?? addressOf(person);
      const name = nameOf(person, email);
      await store.insertMembership(tx, orgId, { id, personId, email, name, role, groups, status: 'active' });
      await store.begin(tx, orgId, meta, [firstEventOfMember('CreateMember', { id, role, groups })]);
      return;
    }
    const { memberId, status } = row;
    const stream = { orgId, streamId: memberId };
    if (status !== 'active') {
      await store.events.updateMany({
        tx,
        decider: memberDecider,
        streams: [{ ...stream, meta: metaOfMember(memberId, context) }],
        command: () => ({ type: 'AcceptInvitation' as const }),
      });
      await identities.setActive(tx, orgId, memberId);
    }
    const otherAdmins = await members.lockOtherAdmins(tx, orgId, memberId);
    const stays =
      row.role === 'admin' && (otherAdmins === 0 || (await members.isInstanceAdmin(orgId, memberId, tx)));
    if (stays && role !== 'admin')
      logger.warn(
        { org_id: orgId, member_id: memberId },
        'the claims would take away the last administrator',
      );
    const { states, events } = await store.events.updateMany({
      tx,
      decider: memberDecider,
      streams: [{ ...stream, meta }],
      command: (): UpdateMember => ({
        type: 'UpdateMember',
        otherAdmins,
        renamed: false,
        role: stays ? 'admin' : role,
        groups,
      }),
    });
    const [state] = states;
    if (events.length === 0 || state === undefined || state.status === 'none') return;
    await members.change(tx, orgId, memberId, { ...state, name: null });
  }

  /** Sessions by the provider in workspaces that the claims no longer give. */
  async function endLostSessions(
    tx: Tx,
    personId: string,
    mapped: readonly MappedMembership[],
    context: SignInContext,
  ): Promise<void> {
    const lost = (await sessions.liveByOidc(tx, personId)).filter(
      ({ orgId }) => !mapped.some((membership) => membership.orgId === orgId),
    );
    const command = { type: 'RevokeSession', reason: 'revoked' } as const;
    await endSessions(ports, tx, lost, command, () => metaOfClaims(context));
  }

  async function noteNoAccess(person: OidcPerson, context: SignInContext): Promise<void> {
    const personId = await identities.personOf(person);
    if (personId === undefined) return;
    noteFailure(ports, await sessions.accountOf(personId), 'no_access', context);
  }
};
export type SignInWithOidc = ReturnType<typeof makeSignInWithOidc>;

const metaOfClaims = ({ correlationId, traceparent }: SignInContext): EventMeta => ({
  actor: { kind: 'system', id: null, key_id: null, via: 'system' },
  correlation_id: correlationId,
  traceparent,
});

/** The name of the claims, if it may be shown as a name. */
function nameOf({ name }: OidcPerson, email: string): string {
  const read = givenName().safeParse(name);
  return read.success ? read.data : (email.split('@')[0] ?? email);
}
