import type { DecidingOperator, KeyRef } from '@agentlattice/contracts';

/** The members who can use a key: its maker, and those who were shown it or a key that it was made with. */
export const holdersOf = (key: KeyRef | null | undefined): readonly string[] =>
  key === null || key === undefined
    ? []
    : [...(key.made_by === null ? [] : [key.made_by]), ...(key.shown_to ?? [])];

/**
 * The members who may have acted with this key in the name of this member: the member and the key's holders. If the holders
 * are unknown, the key counts as the member's own.
 */
export const possibleActors = (memberId: string, key: KeyRef | null | undefined): readonly string[] => [
  ...new Set([memberId, ...holdersOf(key)]),
];

/** The key that an operator acts with; null without one. */
export const keyOfOperator = ({ key_id, key_made_by, key_shown_to }: DecidingOperator): KeyRef | null =>
  key_id === null
    ? null
    : {
        id: key_id,
        made_by: key_made_by ?? null,
        ...(key_shown_to === undefined ? {} : { shown_to: key_shown_to }),
      };
