/** JSON's types; undefined for other values. A comparison holds only between values of one kind. */
export type Kind = 'null' | 'boolean' | 'number' | 'string' | 'list' | 'map';

export function kindOf(value: unknown): Kind | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'bigint':
      return 'number';
    case 'object':
      return isPlain(value) ? 'map' : undefined;
    default:
      return undefined;
  }
}

const isPlain = (value: object) => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};
