import { canonicalJson, commit, type Disclosed, type Entry, type PrivateField } from '@agentlattice/ledger';

/** What an entry holds of erasable content: a commitment to each value. */
export const commitmentsOf = (content: Disclosed): Entry['private'] =>
  Object.fromEntries(
    Object.entries(content).map(([field, { salt, value }]) => [
      field,
      commit(field as PrivateField, salt, value),
    ]),
  );

/** Content of the values that there are; each has a salt of its own, or whoever guesses one could check the others. */
export function disclosedOf(
  values: Readonly<Partial<Record<PrivateField, unknown>>>,
  newSalt: () => string,
): Disclosed {
  const present = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    present.map(([field, value]) => [field, { salt: newSalt(), value: canonicalJson(value) }]),
  );
}
