/** A fault of one field, as the server names it. */
export interface Fault {
  readonly pointer?: string;
  readonly detail?: string;
}

export interface PlacedFaults {
  /** The fault of a field; undefined where there is none. */
  readonly at: (pointer: string) => string | undefined;
  /** Faults that stand below the pointer, and not at it. */
  readonly below: (pointer: string) => readonly string[];
  /** Faults of fields that the form does not have. */
  readonly rest: readonly string[];
}

/** Places faults by their JSON pointers. `known` are the pointers of the form's fields. */
export function placeFaults(faults: readonly Fault[], known: (pointer: string) => boolean): PlacedFaults {
  const placed = new Map<string, string>();
  const rest: string[] = [];
  for (const { pointer = '', detail = 'is not right' } of faults)
    if (!known(pointer)) rest.push(pointer === '' ? detail : `${labelOf(pointer)} ${detail}`);
    else placed.set(pointer, placed.has(pointer) ? `${placed.get(pointer) ?? ''}; ${detail}` : detail);
  return {
    at: (pointer) => placed.get(pointer),
    below: (pointer) =>
      [...placed].filter(([key]) => key.startsWith(`${pointer}/`)).map(([, detail]) => detail),
    rest,
  };
}

const labelOf = (pointer: string) =>
  pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
