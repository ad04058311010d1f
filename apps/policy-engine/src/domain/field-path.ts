import type { Facts } from './facts.js';
import { type Fuel, spend } from './fuel.js';

type Root = 'metadata' | 'data_accessed' | 'agent' | 'time';
export interface FieldPath {
  readonly root: Root;
  readonly steps: readonly string[];
}

export const agentFields = ['id', 'name', 'owner_member_id'] as const;
export const timeFields = ['hour', 'minute', 'weekday', 'day', 'month', 'year', 'iso'] as const;

const known: Partial<Record<Root, readonly string[]>> = { agent: agentFields, time: timeFields };
const isRoot = (name: string): name is Root =>
  name === 'metadata' || name === 'data_accessed' || name === 'agent' || name === 'time';
const maxSteps = 16;

/**
 * Reads `pr_size`, `metadata.change.count`, `data_accessed.kind`, `agent.name`, `time.hour`.
 * @returns the path, or a sentence that names its fault
 */
export function fieldPath(field: string): FieldPath | string {
  const parts = field.split('.');
  if (parts.length > maxSteps) return `a path has at most ${String(maxSteps)} steps`;
  if (parts.some((part) => !/^[^\p{C}\p{Z}]+( [^\p{C}\p{Z}]+)*$/u.test(part)))
    return 'a path is names separated by single dots';
  const [first = '', ...rest] = parts;
  if (!isRoot(first)) return { root: 'metadata', steps: parts };
  if (rest.length === 0)
    return `${first} needs a name after it, such as ${first}.${known[first]?.[0] ?? 'kind'}`;
  const names = known[first];
  if (names !== undefined && (rest.length > 1 || !names.includes(rest[0] ?? '')))
    return `${first} has only ${names.join(', ')}`;
  return { root: first, steps: rest };
}

/** The result of a path through a value without members, or to a member that only some elements of a list have. */
export const unreadable = Symbol('unreadable');

/**
 * The value at a path: undefined when it is missing, `unreadable` when the value around it has another shape. Only own members
 * count, so `__proto__` and `length` are missing.
 */
export function readField(facts: Facts, { root, steps }: FieldPath, fuel: Fuel): unknown {
  switch (root) {
    case 'metadata':
      return walk(facts.metadata(fuel) ?? unreadable, steps, fuel);
    case 'data_accessed':
      return walk(facts.dataAccessed(fuel) ?? unreadable, steps, fuel);
    case 'agent':
      return facts.agent === null ? undefined : walk(facts.agent, steps, fuel);
    case 'time':
      return walk(facts.time, steps, fuel);
  }
}

function walk(value: unknown, steps: readonly string[], fuel: Fuel): unknown {
  const [step, ...rest] = steps;
  if (!spend(fuel, 1) || value === unreadable) return unreadable;
  if (step === undefined || value === undefined) return value;
  if (Array.isArray(value)) return walkList(value, step, steps, fuel);
  if (typeof value !== 'object' || value === null) return unreadable;
  if (step === '__proto__' || !Object.hasOwn(value, step)) return undefined;
  return walk((value as Record<string, unknown>)[step], rest, fuel);
}

/** `files.0.path` is the first one's; `files.path` is the list of all, and missing when every one of them lacks it. */
function walkList(list: readonly unknown[], step: string, steps: readonly string[], fuel: Fuel): unknown {
  if (/^(0|[1-9]\d{0,8})$/.test(step)) return walk(list[Number(step)], steps.slice(1), fuel);
  const values: unknown[] = [];
  for (const element of list) {
    const value = Array.isArray(element) ? unreadable : walk(element, steps, fuel);
    if (value === unreadable) return unreadable;
    values.push(value);
  }
  if (values.every((value) => value === undefined)) return undefined;
  return values.includes(undefined) ? unreadable : values;
}
