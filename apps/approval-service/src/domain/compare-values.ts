import { type ChangedField, type Leaf, leavesOf } from '@agentlattice/contracts';

/** The values of a request, by their pointers. */
export type Leaves = ReadonlyMap<string, Leaf>;

/** Of more values only the first ones are compared. */
const mostLeaves = 500;
const mostChanged = 50;

export const leavesIn = (metadata: unknown): Leaves => leavesOf(metadata, '/metadata', mostLeaves);

/** What differs from an earlier request, in the order of this one, then what is gone. Masked values differ without being shown. */
export function changedFields(
  now: Leaves,
  was: Leaves,
): { readonly changed: ChangedField[]; readonly changed_truncated: boolean } {
  const changed: ChangedField[] = [];
  for (const [field, { json, masked }] of now) {
    const before = was.get(field);
    if (before?.json === json) continue;
    const hidden = masked || before?.masked === true;
    changed.push({
      field,
      change: before === undefined ? 'added' : 'changed',
      was: hidden || before === undefined ? null : before.value,
      masked: hidden,
    });
  }
  for (const [field, before] of was)
    if (!now.has(field))
      changed.push({
        field,
        change: 'removed',
        was: before.masked ? null : before.value,
        masked: before.masked,
      });
  return { changed: changed.slice(0, mostChanged), changed_truncated: changed.length > mostChanged };
}
