import { createHash, randomBytes } from 'node:crypto';
import type { keyKinds, OperatorRole, ServiceScope } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import type { KeyOrigin } from '../domain/key-maker.js';

export type KeyKind = (typeof keyKinds)[number];

export const keyPrefixes: Readonly<Record<KeyKind, string>> = {
  agent: 'al_agent_',
  service: 'al_svc_',
  operator: 'al_op_',
};

/** What a key is for, without its secret. */
export interface KeyTerms {
  readonly name: string;
  readonly kind: KeyKind;
  readonly role?: OperatorRole | null;
  readonly scopes?: readonly ServiceScope[];
  readonly memberId?: string | null;
  readonly agentId?: string | null;
  readonly expiresAt?: string | null;
}

export interface NewKey extends KeyTerms, KeyOrigin {
  readonly id: string;
  /** Shown once; nothing keeps it. */
  readonly key: string;
  readonly hash: Buffer;
  /** Enough to recognise the key in a list. */
  readonly prefix: string;
}

/** A key of 256 random bits. @param key one that exists already, such as those of the first start */
export function newKey(terms: KeyTerms, origin: KeyOrigin, key?: string): NewKey {
  const text = key ?? `${keyPrefixes[terms.kind]}${randomBytes(32).toString('base64url')}`;
  return {
    ...terms,
    madeBy: origin.madeBy,
    own: origin.own,
    shownTo: origin.shownTo,
    id: typeid('key').toString(),
    key: text,
    hash: createHash('sha256').update(text).digest(),
    prefix: text.slice(0, keyPrefixes[terms.kind].length + 4),
  };
}
