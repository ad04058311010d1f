import { givenName } from '@agentlattice/contracts';
import type { EventMeta, Tx } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { typeid } from 'typeid-js';
import { type MappedMembership, mappedMemberships, type MappingRule } from '../domain/oidc-mapping.js';
import { memberDecider, type UpdateMember } from '../domain/member.js';
import type { MemberStore } from '../outbound/member-store.js';
import { addressOf, type OidcIdentities } from '../outbound/oidc-identities.js';
import type { OidcPerson } from '../outbound/oidc-provider.js';
import { liveSessionsOf } from '../outbound/session-store.js';
import { firstEventOfMember } from './first-events.js';
import { revokeKeys } from './revoke-keys.js';
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
 * claims at every sign-in. An account that exists is linked only by an address that the provider has verified, and only where no
 * other subject of the provider is that account: an address that was given to somebody else brings no account along.
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
      const personId =
        known ?? (mapped[0] === undefined ? null : await link(tx, person, mapped[0].orgId, context));
      if (personId === null) return null;
      await endLost(tx, personId, mapped, context);
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

  async function link(
    tx: Tx,
    person: OidcPerson,
    homeOrgId: string,
    context: SignInContext,
  ): Promise<string> {
    const account = (email: string) =>
      store.ensurePerson(tx, homeOrgId, { id: typeid('mbr').toString(), email, passwordHash: null });
    const verified = person.email === null ? null : await account(person.email);
    // Asked under the lock of the address: of two subjects at the same time one gets the account.
    const isOwn = verified !== null && !(await identities.isLinked(tx, person.issuer, verified.personId));
    const { personId, isNew } = isOwn ? verified : await account(addressOf(person));
    await identities.link(tx, person, personId);
    if (isOwn && (await identities.prove(tx, personId)) && !isNew) await endUnproven(tx, personId, context);
    return personId;
  }

  /** What somebody else could use who had the account before its person: sessions, and keys that such sessions made. */
  async function endUnproven(tx: Tx, personId: string, context: SignInContext): Promise<void> {
    const meta = metaOfClaims(context);
    const command = { type: 'RevokeSession', reason: 'password_changed' } as const;
    await endSessions(ports, tx, await liveSessionsOf(tx, personId), command, () => meta);
    await revokeKeys(ports, tx, await identities.ownUnprovenKeys(tx, personId), meta);
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
      await identities.setByClaims(tx, orgId, id, true);
      return;
    }
    // Only a change: each update makes all gateways read their principals again.
    if (row.byClaims !== true) await identities.setByClaims(tx, orgId, row.memberId, true);
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

  /** Sessions by the provider in workspaces that the claims no longer give; none can switch there either. */
  async function endLost(
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
    const orgIds = mapped.map(({ orgId }) => orgId);
    for (const { orgId, memberId } of await identities.lost(tx, personId, orgIds))
      await identities.setByClaims(tx, orgId, memberId, false);
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
