import { createHash, randomBytes } from 'node:crypto';
import { typeid } from 'typeid-js';
import type { KeyOrigin } from '../domain/key-maker.js';
import type { KeyKind, KeyTerms, NewKey } from '../domain/new-key.js';

export const keyPrefixes: Readonly<Record<KeyKind, string>> = {
  agent: 'al_agent_',
  service: 'al_svc_',
  operator: 'al_op_',
};

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
