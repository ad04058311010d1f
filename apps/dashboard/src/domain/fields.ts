/** One value that an agent sent, and where in `metadata` it stands. */
export interface Field {
  /** RFC 6901, into the request: `/metadata/change/count`. */
  readonly pointer: string;
  /** The path as conditions write it: `change.count`. */
  readonly label: string;
  readonly value: unknown;
}

const deepest = 6;

/** The leaves of `metadata` in the order in which they were sent; lists, and objects below the sixth level, stay whole. */
export function fieldsOf(metadata: Readonly<Record<string, unknown>>): readonly Field[] {
  const fields: Field[] = [];
  const visit = (value: unknown, keys: readonly string[]): void => {
    if (isObject(value) && Object.keys(value).length > 0 && keys.length < deepest)
      for (const [key, child] of Object.entries(value)) visit(child, [...keys, key]);
    else if (keys.length > 0)
      fields.push({ pointer: pointerOf(['metadata', ...keys]), label: keys.join('.'), value });
  };
  visit(metadata, []);
  return fields;
}

/** Fields that the policy's conditions name come first, in the order of the conditions. */
export function orderedFields(
  metadata: Readonly<Record<string, unknown>>,
  conditions: readonly { readonly field: string }[],
): readonly Field[] {
  const fields = fieldsOf(metadata);
  const wanted = conditions.map(({ field }) => field);
  const named = wanted.flatMap((label) =>
    fields.filter((field) => field.label === label || field.label.startsWith(`${label}.`)),
  );
  return [...new Set([...named, ...fields])];
}

/** A value as text, exactly: texts as they are, everything else as JSON. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value, null, 2) : JSON.stringify(value);
}

export const pointerOf = (keys: readonly string[]): string =>
  keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** The value at a pointer; undefined where there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const key of keysOf(pointer)) {
    if ((!isObject(at) && !Array.isArray(at)) || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

export const keysOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** A pointer as conditions write the path: what stands in `metadata` is named without it. */
export function labelOf(pointer: string): string {
  const keys = keysOf(pointer);
  return (keys[0] === 'metadata' ? keys.slice(1) : keys).join('.');
}

/** Whether a value is hidden: a pointer of `masked` is it, or stands above it. */
export const isMasked = (pointer: string, masked: readonly string[] = []): boolean =>
  masked.some((hidden) => pointer === hidden || pointer.startsWith(`${hidden}/`));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
