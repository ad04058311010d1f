import type { KeyView, NewKeyView, OperatorRole, ServiceScope } from '@agentlattice/contracts';
import { call, pathSegment } from './client.js';

export type Key = KeyView;
export type NewKey = NewKeyView;
export type { ServiceScope };

export interface KeyInput {
  readonly name: string;
  readonly kind: Key['kind'];
  readonly role?: OperatorRole;
  readonly member_id?: string;
  readonly agent_id?: string;
  readonly scopes?: readonly ServiceScope[];
  readonly expires_at?: string;
}

const path = '/api/v1/keys';
export const keysKey = ['keys'] as const;

export const listKeys = (cursor?: string, signal?: AbortSignal) =>
  call<{ keys: readonly Key[]; next_cursor: string | null }>('GET', path, {
    query: { cursor, limit: 100 },
    ...(signal === undefined ? {} : { signal }),
  });
export const createKey = (body: KeyInput) => call<NewKey>('POST', path, { body });
export const rotateKey = (id: string, overlap: string) =>
  call<NewKey>('POST', `${path}/${pathSegment(id)}/rotate`, { body: { overlap } });
export const revokeKey = (id: string) => call<Key>('DELETE', `${path}/${pathSegment(id)}`);
