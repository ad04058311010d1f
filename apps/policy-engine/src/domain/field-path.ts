import type { Facts } from './facts.js';

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
 * @returns the path, or a sentence about what is wrong with it
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

/** The value at a path; undefined when it is missing. Only own members count, so `__proto__` and `length` are missing. */
export function readField(facts: Facts, { root, steps }: FieldPath): unknown {
  switch (root) {
    case 'metadata':
      return walk(facts.metadata(), steps);
    case 'data_accessed':
      return walk(facts.dataAccessed(), steps);
    case 'agent':
      return walk(facts.agent, steps);
    case 'time':
      return walk(facts.time, steps);
  }
}

function walk(value: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (Array.isArray(value)) return walkList(value, step, steps, rest);
  if (typeof value !== 'object' || value === null || step === '__proto__') return undefined;
  return Object.hasOwn(value, step) ? walk((value as Record<string, unknown>)[step], rest) : undefined;
}

/** `files.0.path` is the first one's; `files.path` is the list of all, and missing when one of them lacks it. */
function walkList(
  list: readonly unknown[],
  step: string,
  steps: readonly string[],
  rest: readonly string[],
): unknown {
  if (/^(0|[1-9]\d{0,8})$/.test(step)) return walk(list[Number(step)], rest);
  if (list.length === 0) return undefined;
  const values = list.map((element) => (Array.isArray(element) ? undefined : walk(element, steps)));
  return values.includes(undefined) ? undefined : values;
}
