import type { Field } from './fields.js';

/** One row of the comparison with the last approved request. */
export interface ComparedField extends Field {
  readonly isChanged: boolean;
  /** The last approved request did not have the field. */
  readonly isAdded: boolean;
  /** The last approved request had it, and this one has not. */
  readonly isRemoved: boolean;
  readonly was: unknown;
}

interface Change {
  readonly field: string;
  readonly was: unknown;
  readonly change?: 'changed' | 'added' | 'removed';
}

/** Changed fields first, then the others, each in the given order; fields that are gone stand with the changed ones. */
export function compared(
  fields: readonly Field[],
  changes: readonly Change[],
  labelOf: (pointer: string) => string,
): readonly ComparedField[] {
  const byField = new Map(changes.map((change) => [change.field, change]));
  const rows = fields.map((field): ComparedField => {
    const change = byField.get(field.pointer);
    return {
      ...field,
      isChanged: change !== undefined,
      isAdded: change?.change === 'added',
      isRemoved: false,
      was: change === undefined ? field.value : change.was,
    };
  });
  const here = new Set(fields.map(({ pointer }) => pointer));
  const gone = changes
    .filter(({ field, change }) => change === 'removed' || (!here.has(field) && change === undefined))
    .filter(({ field }) => !here.has(field))
    .map(({ field, was }): ComparedField => ({
      pointer: field,
      label: labelOf(field),
      value: undefined,
      isChanged: true,
      isAdded: false,
      isRemoved: true,
      was,
    }));
  return [
    ...rows.filter(({ isChanged }) => isChanged),
    ...gone,
    ...rows.filter(({ isChanged }) => !isChanged),
  ];
}
