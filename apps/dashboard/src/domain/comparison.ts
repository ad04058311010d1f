import { type Field, labelOf } from './fields.js';

/** One row of the comparison with the last approved request. */
export interface ComparedField extends Field {
  readonly isChanged: boolean;
  /** The last approved request did not have the field. */
  readonly isAdded: boolean;
  /** The last approved request had it, and this one has not. */
  readonly isRemoved: boolean;
  readonly was: unknown;
  /** The values look like secrets, and the server does not send them. */
  readonly isMasked: boolean;
}

export interface Change {
  readonly field: string;
  readonly was?: unknown;
  readonly change: 'changed' | 'added' | 'removed';
  readonly masked: boolean;
}

/** Changed fields first, then those that are gone, then the others, each in the given order. */
export function compared(fields: readonly Field[], changes: readonly Change[]): readonly ComparedField[] {
  const byField = new Map(changes.map((change) => [change.field, change]));
  const here = new Set(fields.map(({ pointer }) => pointer));
  const rows = fields.map((field): ComparedField => {
    const change = byField.get(field.pointer);
    return {
      ...field,
      isChanged: change !== undefined,
      isAdded: change?.change === 'added',
      isRemoved: false,
      was: change === undefined ? field.value : change.was,
      isMasked: change?.masked ?? false,
    };
  });
  const gone = changes
    .filter(({ field }) => !here.has(field) && labelOf(field) !== '')
    .map(({ field, was, masked }): ComparedField => {
      const label = labelOf(field);
      const row = { pointer: field, label, value: undefined, was };
      return { ...row, isChanged: true, isAdded: false, isRemoved: true, isMasked: masked };
    });
  return [
    ...rows.filter(({ isChanged }) => isChanged),
    ...gone,
    ...rows.filter(({ isChanged }) => !isChanged),
  ];
}
