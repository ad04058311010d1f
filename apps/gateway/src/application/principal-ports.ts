import type { Actor } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import type { KeyOrigin } from '../domain/key-maker.js';
import type { PrincipalStore } from '../outbound/principal-store.js';

/** What every change of workspaces, members, agents and keys needs. Each change is an event and its rows, in one transaction. */
export interface PrincipalPorts {
  readonly store: PrincipalStore;
  /** Makes this gateway use the change at once; other gateways use it within a second. */
  readonly refresh: () => Promise<void>;
}

/** The caller, the workspace and the request of a change. */
export interface RequestContext {
  readonly orgId: string;
  readonly meta: EventMeta & { readonly actor: Actor };
  /** The member behind the caller: the operator, or the maker of the service key. */
  readonly memberId: string | null;
  /** Whether the caller's key carries the rights over the instance. */
  readonly instanceAdmin: boolean;
  /** The origin of a key that this call makes for the given member, or for no member. */
  readonly originOf: (memberId: string | null) => KeyOrigin;
}
