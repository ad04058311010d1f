type Json = Readonly<Record<string, unknown>>;

/**
 * The breaking changes of a newer OpenAPI document, one line for each: removed operations and answers, stricter requests,
 * members that answers no longer have, and new values in answers.
 */
export function breakingChanges(older: Json, newer: Json): string[] {
  const found: string[] = [];
  const [old, now] = [new Reader(older), new Reader(newer)];
  for (const [path, methods] of members(older['paths']))
    for (const [method, before] of members(methods)) {
      const at = `${method.toUpperCase()} ${path}`;
      const after = member(member(newer['paths'], path), method);
      if (after === undefined) found.push(`${at} is gone`);
      else operation(at, before, after);
    }
  return [...new Set(found)];

  function operation(at: string, before: unknown, after: unknown): void {
    const [given, wanted] = [parametersOf(before), parametersOf(after)];
    for (const [name, parameter] of given)
      if (wanted.has(name))
        request(`${at} ${name}`, member(parameter, 'schema'), member(wanted.get(name), 'schema'));
      else found.push(`${at} takes no ${name} any more`);
    for (const [name, parameter] of wanted)
      if (member(parameter, 'required') === true && member(given.get(name), 'required') !== true)
        found.push(`${at} needs ${name}`);
    const [body, newBody] = [member(before, 'requestBody'), member(after, 'requestBody')];
    if (member(newBody, 'required') === true && member(body, 'required') !== true)
      found.push(`${at} needs a body`);
    for (const [type, content] of members(member(body, 'content'))) {
      const same = member(member(newBody, 'content'), type);
      if (same === undefined) found.push(`${at} takes no ${type} any more`);
      else request(`${at} body`, member(content, 'schema'), member(same, 'schema'));
    }
    for (const [status, answer] of members(member(before, 'responses'))) {
      const same = member(member(after, 'responses'), status);
      if (same === undefined) found.push(`${at} ${status} is gone`);
      for (const [type, content] of same === undefined ? [] : members(member(answer, 'content'))) {
        const now = member(member(same, 'content'), type);
        if (now === undefined) found.push(`${at} ${status} is not ${type} any more`);
        else response(`${at} ${status}`, member(content, 'schema'), member(now, 'schema'));
      }
    }
  }

  /** For requests: whatever an old client sends must still be accepted. */
  function request(at: string, before: unknown, after: unknown, seen = new Set<unknown>()): void {
    const [a, b] = [old.read(before), now.read(after)];
    if (seen.has(a)) return;
    seen.add(a);
    narrowed(at, a, b);
    const required = list(b['required']);
    for (const name of required)
      if (!list(a['required']).includes(name)) found.push(`${at}/${String(name)} is required`);
    for (const [name, schema] of members(a['properties'])) {
      const same = member(b['properties'], name);
      if (same !== undefined) request(`${at}/${name}`, schema, same, seen);
      else if (b['additionalProperties'] === false) found.push(`${at}/${name} is refused`);
    }
    if (a['items'] !== undefined && b['items'] !== undefined)
      request(`${at}/*`, a['items'], b['items'], seen);
    alternatives(at, a, b, (place, x, y) => {
      request(place, x, y, seen);
    });
  }

  /** For answers: no member that an old client reads may be missing or have an unknown form. */
  function response(at: string, before: unknown, after: unknown, seen = new Set<unknown>()): void {
    const [a, b] = [old.read(before), now.read(after)];
    if (seen.has(a)) return;
    seen.add(a);
    // For answers the older document must not be narrower than the newer one.
    // Clients know that a set marked as open grows.
    narrowed(at, b['x-open-enum'] === true ? { ...b, enum: a['enum'] } : b, a, 'may be a new value');
    for (const name of list(a['required']))
      if (!list(b['required']).includes(name)) found.push(`${at}/${String(name)} may be missing`);
    for (const [name, schema] of members(a['properties'])) {
      const same = member(b['properties'], name);
      if (same === undefined) found.push(`${at}/${name} is gone`);
      else response(`${at}/${name}`, schema, same, seen);
    }
    if (a['items'] !== undefined && b['items'] !== undefined)
      response(`${at}/*`, a['items'], b['items'], seen);
    alternatives(at, a, b, (place, x, y) => {
      response(place, x, y, seen);
    });
  }

  /** The narrower schema must allow all that the wider one does: types, enumerated values and bounds. */
  function narrowed(at: string, wider: Json, narrower: Json, says = 'is narrower'): void {
    const [types, left] = [valuesOf(wider, 'type'), valuesOf(narrower, 'type')];
    const isLeft = (type: unknown) => left.includes(type) || (type === 'integer' && left.includes('number'));
    if (left.length > 0 && (types.length === 0 ? wider['anyOf'] === undefined : !types.every(isLeft)))
      found.push(`${at} ${says}: ${left.join(', ')}`);
    const [values, known] = [enumOf(wider), enumOf(narrower)];
    if (
      known !== null &&
      (values === null ? types.length > 0 : values.some((value) => !known.includes(value)))
    )
      found.push(`${at} ${says}: ${known.map(String).join(', ')}`);
    if (says !== 'is narrower') return;
    for (const [bound, sign] of bounds)
      if (
        typeof narrower[bound] === 'number' &&
        (typeof wider[bound] !== 'number' || sign * (narrower[bound] - wider[bound]) > 0)
      )
        found.push(`${at} ${says}: ${bound} ${String(narrower[bound])}`);
    for (const name of ['pattern', 'format'])
      if (narrower[name] !== undefined && narrower[name] !== wider[name])
        found.push(`${at} ${says}: ${name} ${String(narrower[name])}`);
  }

  /** Alternatives keep their order, so that each is compared with itself. */
  function alternatives(
    at: string,
    a: Json,
    b: Json,
    compare: (at: string, before: unknown, after: unknown) => void,
  ): void {
    for (const kind of ['anyOf', 'oneOf', 'allOf']) {
      const [before, after] = [list(a[kind]), list(b[kind])];
      if (before.length === 0 && after.length === 0) continue;
      if (before.length !== after.length)
        found.push(`${at} has ${String(after.length)} alternatives, not ${String(before.length)}`);
      else for (const [i, schema] of before.entries()) compare(`${at}(${String(i)})`, schema, after[i]);
    }
  }
}

/** A bound that grows (1) or shrinks (-1) leaves less room. */
const bounds = [
  ['minLength', 1],
  ['minItems', 1],
  ['minimum', 1],
  ['minProperties', 1],
  ['maxLength', -1],
  ['maxItems', -1],
  ['maximum', -1],
] as const;

/** Schemas of one document, with references followed. */
class Reader {
  constructor(private readonly document: Json) {}

  read(schema: unknown): Json {
    const reference = member(schema, '$ref');
    if (typeof reference !== 'string') return (schema ?? {}) as Json;
    const name = reference.replace('#/components/schemas/', '');
    const found = member(member(this.document['components'], 'schemas'), name);
    if (found === undefined) throw new Error(`${reference} is not in the document`);
    return found as Json;
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Json)[name]
    : undefined;
const members = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const valuesOf = (schema: Json, name: string): readonly unknown[] =>
  schema[name] === undefined
    ? []
    : Array.isArray(schema[name])
      ? (schema[name] as unknown[])
      : [schema[name]];
const enumOf = (schema: Json): readonly unknown[] | null =>
  Array.isArray(schema['enum'])
    ? (schema['enum'] as unknown[])
    : 'const' in schema
      ? [schema['const']]
      : null;
const parametersOf = (operation: unknown): Map<string, unknown> =>
  new Map(
    list(member(operation, 'parameters')).map((parameter) => [
      `${String(member(parameter, 'in'))} ${String(member(parameter, 'name'))}`,
      parameter,
    ]),
  );
