import type { DomainEvent, EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

type KeyFacts = EventData<'key.created'>;

export type Key =
  { readonly status: 'none' } | { readonly status: 'live' | 'rotated' | 'revoked'; readonly facts: KeyFacts };

export type KeyCommand =
  | { readonly type: 'CreateKey'; readonly facts: KeyFacts }
  | { readonly type: 'RotateKey'; readonly successorId: string; readonly overlapUntil: string }
  | { readonly type: 'RevokeKey' };

export type KeyEvent = DomainEvent<'key.created' | 'key.rotated' | 'key.revoked'>;

function decide(command: KeyCommand, state: Key): readonly KeyEvent[] {
  switch (command.type) {
    case 'CreateKey':
      return state.status === 'none' ? [{ type: 'key.created', data: command.facts }] : [];
    case 'RotateKey': {
      const { status, facts } = known(state);
      if (status !== 'live') throw new Refused('KEY_REVOKED', `the key is ${status} already`);
      return [
        {
          type: 'key.rotated',
          data: {
            key_id: facts.key_id,
            successor_id: command.successorId,
            overlap_until: command.overlapUntil,
          },
        },
      ];
    }
    case 'RevokeKey': {
      const { status, facts } = known(state);
      return status === 'revoked' ? [] : [{ type: 'key.revoked', data: { key_id: facts.key_id } }];
    }
    default:
      return assertNever(command);
  }
}

function evolve(state: Key, event: KeyEvent): Key {
  switch (event.type) {
    case 'key.created':
      return { status: 'live', facts: event.data };
    case 'key.rotated':
      return { ...state, status: 'rotated' } as Key;
    case 'key.revoked':
      return { ...state, status: 'revoked' } as Key;
    default:
      return assertNever(event);
  }
}

function known(state: Key): Exclude<Key, { status: 'none' }> {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such key');
  return state;
}

export const keyDecider: Decider<Key, KeyCommand, KeyEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};
