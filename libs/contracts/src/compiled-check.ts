import type { z } from 'zod';

/**
 * True only for a JSON value that the schema accepts and returns unchanged. False decides nothing: the schema then reads the
 * value. So a check can be fast and small, and leaves unknown cases to the schema.
 */
export type Check = (value: unknown) => boolean;

/** The check of a schema, made from zod's description of it (https://zod.dev/packages/core). */
export function compiledCheck(schema: z.core.$ZodType): Check {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return def.coerce === true ? asParsed(schema) : stringCheck(schema, def);
    case 'number':
      return def.coerce === true ? asParsed(schema) : numberCheck(schema, def);
    case 'boolean':
      return def.coerce === true ? asParsed(schema) : (value) => typeof value === 'boolean';
    case 'unknown':
      return () => true;
    case 'enum':
    case 'literal': {
      const values = schema._zod.values ?? new Set();
      return (value) => values.has(value as z.core.util.Primitive);
    }
    case 'nullable': {
      const inner = compiledCheck(def.innerType);
      return (value) => value === null || inner(value);
    }
    case 'optional':
    case 'default': {
      const inner = compiledCheck(def.innerType);
      return (value) => value !== undefined && inner(value);
    }
    case 'array':
      return arrayCheck(schema, def);
    case 'object':
      return objectCheck(schema, def);
    case 'record':
      return recordCheck(schema, def);
    case 'union':
      return unionCheck(schema, def);
    default:
      return asParsed(schema);
  }
}

/** For schemas that are not compiled: the schema itself reads the value, and a copied value counts as changed. */
function asParsed(schema: z.core.$ZodType): Check {
  return (value) => {
    const parsed = (schema as z.ZodType).safeParse(value);
    return parsed.success && Object.is(parsed.data, value);
  };
}

/** The allowed lengths, and the other checks. */
function lengths(checks: readonly object[]): { min: number; max: number; others: AnyCheckDef[] } {
  let [min, max] = [0, Number.POSITIVE_INFINITY];
  const others: AnyCheckDef[] = [];
  for (const check of checks.map(defOf))
    if (check.check === 'min_length') min = Math.max(min, check.minimum);
    else if (check.check === 'max_length') max = Math.min(max, check.maximum);
    else others.push(check);
  return { min, max, others };
}

function stringCheck(schema: z.core.$ZodType, def: z.core.$ZodStringDef): Check {
  // `z.iso.datetime()` is a string and its own first check.
  const { min, max, others } = lengths([...('check' in def ? [def] : []), ...(def.checks ?? [])]);
  const [format, ...more] = others;
  if (more.length > 0 || (format !== undefined && !isPlainPattern(format))) return asParsed(schema);
  const pattern = format?.pattern;
  if (min === 0 && max === Number.POSITIVE_INFINITY)
    return pattern === undefined
      ? (value) => typeof value === 'string'
      : (value) => typeof value === 'string' && pattern.test(value);
  return (value) =>
    typeof value === 'string' &&
    value.length >= min &&
    value.length <= max &&
    (pattern === undefined || pattern.test(value));
}

/** Formats that are only a pattern; a stateful pattern (flags g and y) would depend on the value before. */
const isPlainPattern = (def: AnyCheckDef): def is z.core.$ZodCheckRegexDef =>
  def.check === 'string_format' &&
  ['regex', 'datetime'].includes(def.format) &&
  def.pattern !== undefined &&
  !def.pattern.global &&
  !def.pattern.sticky;

function numberCheck(schema: z.core.$ZodType, def: z.core.$ZodNumberDef): Check {
  let [min, max, above, below] = [-Infinity, Infinity, -Infinity, Infinity];
  let whole = false;
  for (const check of (def.checks ?? []).map(defOf))
    if (check.check === 'number_format' && check.format === 'safeint') whole = true;
    else if (check.check === 'greater_than' && typeof check.value === 'number')
      if (check.inclusive) min = Math.max(min, check.value);
      else above = Math.max(above, check.value);
    else if (check.check === 'less_than' && typeof check.value === 'number')
      if (check.inclusive) max = Math.min(max, check.value);
      else below = Math.min(below, check.value);
    else return asParsed(schema);
  if ('check' in def) return asParsed(schema);
  return (value) =>
    typeof value === 'number' &&
    (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= min &&
    value <= max &&
    value > above &&
    value < below;
}

function arrayCheck(schema: z.core.$ZodType, def: z.core.$ZodArrayDef): Check {
  const { min, max, others } = lengths(def.checks ?? []);
  if (others.length > 0) return asParsed(schema);
  const element = compiledCheck(def.element);
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return false;
    for (const item of value) if (!element(item)) return false;
    return true;
  };
}

/** Exactly the members that the schema names, in any order; optional ones may be missing. */
function objectCheck(schema: z.core.$ZodType, def: z.core.$ZodObjectDef): Check {
  const strict = def.catchall === undefined || def.catchall._zod.def.type === 'never';
  const names = Object.keys(def.shape);
  // A name that every object inherits would count as present.
  if (!strict || (def.checks ?? []).length > 0 || names.some((name) => name in Object.prototype))
    return asParsed(schema);
  const members = Object.entries(def.shape).map(([name, member]) => ({
    name,
    mayBeMissing: mayBeMissing(member),
    check: compiledCheck(member),
  }));
  return (value) => {
    if (!isPlain(value)) return false;
    let given = 0;
    for (const { name, mayBeMissing, check } of members) {
      const member = value[name];
      if (member === undefined) {
        if (!mayBeMissing) return false;
      } else if (check(member)) given++;
      else return false;
    }
    // A further member is unknown to the schema.
    for (const _ in value) given--;
    return given === 0;
  };
}

/** Whether the schema puts no default in its place. */
function mayBeMissing(member: z.core.$ZodType): boolean {
  if (member._zod.def.type !== 'optional') return false;
  const parsed = (member as z.ZodType).safeParse(undefined);
  return parsed.success && parsed.data === undefined;
}

/** Any names; `__proto__` is left to the schema, which removes it. */
function recordCheck(schema: z.core.$ZodType, def: z.core.$ZodRecordDef): Check {
  const key = def.keyType._zod.def;
  const checks = [...(key.checks ?? []), ...(def.checks ?? [])];
  if (key.type !== 'string' || 'check' in key || checks.length > 0) return asParsed(schema);
  const check = def.valueType._zod.def.type === 'unknown' ? null : compiledCheck(def.valueType);
  return (value) => {
    if (!isPlain(value) || Object.hasOwn(value, '__proto__')) return false;
    if (check !== null) for (const name in value) if (!check(value[name])) return false;
    return true;
  };
}

/**
 * The option of the discriminator. A union without discriminator uses its first option; for other values the schema decides.
 */
function unionCheck(schema: z.core.$ZodType, def: z.core.$ZodUnionDef): Check {
  const [first] = def.options;
  const discriminator = 'discriminator' in def ? def.discriminator : null;
  if ((def.checks ?? []).length > 0 || first === undefined) return asParsed(schema);
  if (typeof discriminator !== 'string') {
    const [fits, parsed] = [compiledCheck(first), asParsed(schema)];
    return (value) => fits(value) || parsed(value);
  }
  const options = new Map<unknown, Check>();
  for (const option of def.options)
    for (const value of option._zod.propValues?.[discriminator] ?? [])
      options.set(value, compiledCheck(option));
  return (value) => isPlain(value) && options.get(value[discriminator])?.(value) === true;
}

type AnyCheckDef = z.core.$ZodChecks['_zod']['def'];
const defOf = (check: object) =>
  '_zod' in check ? (check as z.core.$ZodChecks)._zod.def : (check as AnyCheckDef);

/** As JSON.parse makes them. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;
