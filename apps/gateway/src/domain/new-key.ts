import type { keyKinds, OperatorRole, ServiceScope } from '@agentlattice/contracts';
import type { KeyOrigin } from './key-maker.js';

export type KeyKind = (typeof keyKinds)[number];

/** The terms of a key, without its secret. */
export interface KeyTerms {
  readonly name: string;
  readonly kind: KeyKind;
  readonly role?: OperatorRole | null;
  readonly scopes?: readonly ServiceScope[];
  readonly memberId?: string | null;
  readonly agentId?: string | null;
  readonly expiresAt?: string | null;
  /** Of the agent whose key it is. */
  readonly delegationId?: string | null;
}

/** A key that was just made, with its secret. */
export interface NewKey extends KeyTerms, KeyOrigin {
  readonly id: string;
  /** Shown once and stored nowhere. */
  readonly key: string;
  readonly hash: Buffer;
  /** Enough to recognise the key in a list. */
  readonly prefix: string;
}
