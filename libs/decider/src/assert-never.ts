/** Ends an exhaustive switch: a new case does not compile until it is judged. Throws when data from outside reaches it all the same. */
export function assertNever(value: never): never {
  throw new TypeError(`a case that nobody judges: ${JSON.stringify(value)}`);
}
