import type { z } from 'zod';
import { parseWith } from '../parse-with.js';
import type { ServiceName } from '../services.js';

/** Brings `data` of one version to the next one; null when it is not of that version. */
type Upcast = (data: unknown) => unknown;

export interface EventDefinition {
  readonly owner: ServiceName;
  /** The schema of each version, counted from 1 without a gap. */
  readonly versions: Readonly<Record<number, z.ZodType>>;
  /** By the version they start from: one for each version except the newest. */
  readonly upcasts?: Readonly<Record<number, Upcast>>;
}
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

/** An upcast in the registry. `convert` is pure, so every reading gives the same event. */
export function upcast<From extends z.ZodType>(
  from: From,
  convert: (data: z.output<From>) => unknown,
): Upcast {
  return (data) => {
    const parsed = parseWith(from, data);
    return parsed.success ? convert(parsed.data) : null;
  };
}

/** The `data` of an event as it was stored or sent, with the type and version that say how to read it. */
export interface VersionedData {
  readonly type: string;
  readonly schema_version: number;
  readonly data: unknown;
}

/** `detail` is a sentence that names the type and version that cannot be read. */
export type ReadData =
  | { readonly success: true; readonly schemaVersion: number; readonly data: object }
  | { readonly success: false; readonly detail: string };

export interface EventDataReader {
  /** `data` in the newest version, checked by the schema of its own version and by that of the newest. */
  read(event: VersionedData): ReadData;
  /** The version of new events; null for an unknown type. */
  newestVersion(type: string): number | null;
}

/** Reads event data by a registry. Unknown types, unknown versions and data of another form are failures. */
export function makeEventDataReader(definitions: EventDefinitions): EventDataReader {
  const newest = new Map(
    Object.entries(definitions).map(([type, { versions }]) => [
      type,
      Math.max(...Object.keys(versions).map(Number)),
    ]),
  );
  return {
    newestVersion: (type) => newest.get(type) ?? null,
    read({ type, schema_version: version, data }) {
      const failed = (detail: string): ReadData => ({ success: false, detail });
      const last = newest.get(type);
      const definition = Object.hasOwn(definitions, type) ? definitions[type] : undefined;
      if (definition === undefined || last === undefined) return failed(`the event type ${type} is unknown`);
      const { versions, upcasts = {} } = definition;
      let current = data;
      for (let at = version; ; at++) {
        const schema = versions[at];
        if (schema === undefined) return failed(`${type} has no version ${String(at)}`);
        const parsed = parseWith(schema, current);
        if (!parsed.success || !isObject(parsed.data))
          return failed(`${type} version ${String(at)} has another form`);
        if (at === last) return { success: true, schemaVersion: at, data: parsed.data };
        const convert = upcasts[at];
        if (convert === undefined)
          return failed(`${type} version ${String(at)} cannot be brought to the next one`);
        current = convert(parsed.data);
      }
    },
  };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
