import type { KeyRef } from '@agentlattice/contracts';

/** The members who can do what is done with a key: who answers for it, and those who were shown it or a key behind it. */
export const holdersOf = (key: KeyRef | null | undefined): readonly string[] =>
  key === null || key === undefined
    ? []
    : [...(key.made_by === null ? [] : [key.made_by]), ...(key.shown_to ?? [])];

/**
 * The members who may have said what this one said with this key: the member, and who holds the key. Where nobody knows who
 * does, it is taken for the member's own.
 */
export const mayHaveSaid = (memberId: string, key: KeyRef | null | undefined): readonly string[] => [
  ...new Set([memberId, ...holdersOf(key)]),
];
