import { parseWith } from '@agentlattice/contracts';
import {
  canonicalJson,
  commit,
  type Disclosed,
  type Entry,
  type PrivateField,
  privateFields,
} from '@agentlattice/ledger';
import { z } from 'zod';

const disclosed = z.partialRecord(z.enum(privateFields), z.object({ salt: z.string(), value: z.string() }));

/** The stored erasable values of an entry, with their salts. @throws when the text has another form */
export function parseDisclosed(text: string): Disclosed {
  const parsed = parseWith(disclosed, JSON.parse(text));
  if (!parsed.success)
    throw new Error('the erasable values of an entry have another form', { cause: parsed.error });
  return parsed.data;
}

/** The commitments of an entry: one for each erasable value. */
export function commitmentsOf(content: Disclosed): Entry['private'] {
  const commitments: Partial<Record<PrivateField, string>> = {};
  for (const field of privateFields) {
    const disclosed = content[field];
    if (disclosed !== undefined) commitments[field] = commit(field, disclosed.salt, disclosed.value);
  }
  return commitments;
}

/** The values that are present. Each has its own salt; otherwise a guess of one could be checked with the salt of another. */
export function disclosedOf(
  values: Readonly<Partial<Record<PrivateField, unknown>>>,
  newSalt: () => string,
): Disclosed {
  const present = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    present.map(([field, value]) => [field, { salt: newSalt(), value: canonicalJson(value) }]),
  );
}
