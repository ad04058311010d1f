import type { z } from 'zod';
import { type Check, compiledCheck } from './compiled-check.js';

type Parsed<T> =
  { readonly success: true; readonly data: T } | { readonly success: false; error: z.ZodError };

const checks = new WeakMap<z.core.$ZodType, Check>();

/**
 * `schema.safeParse` for JSON from another service, with the same result at a fraction of its cost: messages of our own
 * services have exactly the members of the schema, and pass a check that is compiled from the schema once.
 * @returns in `data` the value itself where it needs no change, a copy of the schema's where it does
 */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown): Parsed<z.output<S>> {
  let check = checks.get(schema);
  if (check === undefined) checks.set(schema, (check = compiledCheck(schema)));
  return check(value) ? { success: true, data: value as z.output<S> } : schema.safeParse(value);
}
