import { ApiRefusal } from '../api/client.js';
import { placeFaults, type PlacedFaults } from '../domain/faults.js';
import { errorText } from './notices.js';

export interface FormFaults extends PlacedFaults {
  /** What concerns no field of the form; null when everything has its place. */
  readonly general: string | null;
}

/** What a refusal says about a form with these fields. A pointer that begins with a known one belongs to it. */
export function formFaults(error: unknown, fields: readonly string[]): FormFaults {
  const faults = error instanceof ApiRefusal ? (error.problem.errors ?? []) : [];
  const placed = placeFaults(faults, (pointer) =>
    fields.some((field) => pointer === field || pointer.startsWith(`${field}/`)),
  );
  const general =
    error === null || error === undefined
      ? null
      : faults.length === 0
        ? errorText(error)
        : placed.rest.length > 0
          ? placed.rest.join('. ')
          : null;
  return { ...placed, general };
}
