/** Members whose content belongs to others: it is passed on as it came. */
const opaque: ReadonlySet<string> = new Set([
  'metadata',
  'data_accessed',
  'expected',
  'calibration',
  'scope',
  'components',
  'data',
]);

/** A wire object (snake_case) as the program sees it (camelCase). */
export function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      opaque.has(name) && typeof member === 'object' ? member : camelCased(member),
    ]),
  );
}

/** A member's name on the wire. */
export const snakeCased = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
