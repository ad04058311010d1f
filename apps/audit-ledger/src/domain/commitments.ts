import {
  canonicalJson,
  commit,
  type Disclosed,
  type Entry,
  type PrivateField,
  privateFields,
} from '@agentlattice/ledger';

/** What an entry holds of erasable content: a commitment to each value. */
export function commitmentsOf(content: Disclosed): Entry['private'] {
  const commitments: Partial<Record<PrivateField, string>> = {};
  for (const field of privateFields) {
    const disclosed = content[field];
    if (disclosed !== undefined) commitments[field] = commit(field, disclosed.salt, disclosed.value);
  }
  return commitments;
}

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
