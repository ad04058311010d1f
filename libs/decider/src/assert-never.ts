/** Ends an exhaustive switch: a new case does not compile until it is handled. Throws when unchecked data reaches it. */
export function assertNever(value: never): never {
  throw new TypeError(`a case that no branch handles: ${JSON.stringify(value)}`);
}
