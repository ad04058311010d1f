import {
  chainLengths,
  type Entry,
  entryDecisions,
  entryVias,
  entrySources,
  isEntryType,
  privateFields,
} from './entry.js';

/** Why a value is not an entry; `pointer` is the JSON pointer of the member at fault. */
export interface ShapeFault {
  readonly pointer: string;
  readonly detail: string;
}

type Judge = (value: unknown) => string | null;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text =
  (pattern: RegExp, what: string): Judge =>
  (value) => {
    if (typeof value !== 'string') return `must be ${what}`;
    if (!value.isWellFormed()) return 'holds a lone surrogate';
    return pattern.test(value) ? null : `must be ${what}`;
  };
const textOf =
  (min: number, max: number, what: string): Judge =>
  (value) => {
    if (typeof value !== 'string') return `must be ${what}`;
    if (!value.isWellFormed()) return 'holds a lone surrogate';
    return value.length >= min && value.length <= max ? null : `must be ${what}`;
  };
const oneOf = (values: readonly string[], what: string): Judge => {
  const known = new Set(values);
  return (value) => (typeof value === 'string' && known.has(value) ? null : `must be ${what}`);
};
const integer =
  (min: number): Judge =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && !Object.is(value, -0)
      ? null
      : `must be an integer from ${String(min)} to 2^53-1`;
const orNull =
  (judge: Judge): Judge =>
  (value) =>
    value === null ? null : judge(value);

const hash = text(/^[0-9a-f]{64}$/, '64 lower-case hex digits');
const name = textOf(1, 255, 'a text of 1 to 255 characters');
const anyName = textOf(0, 1024, 'a text of at most 1024 characters');

const entryType: Judge = (value) =>
  typeof value === 'string' && isEntryType(value) ? null : 'must be a type that the format knows';

const members: readonly (readonly [keyof Entry, Judge])[] = [
  ['v', (value) => (value === 1 || value === 2 ? null : 'must be 1 or 2')],
  ['log', text(/^[^\s+]{1,255}$/u, 'an origin without spaces or plus signs')],
  ['seq', integer(0)],
  ['prev_hash', hash],
  ['id', name],
  ['type', entryType],
  ['time', text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'an RFC 3339 instant in UTC with milliseconds')],
  ['source', oneOf(entrySources, 'a service of this version')],
  ['source_seq', integer(1)],
  ['org_id', name],
  ['action_type', orNull(name)],
  ['agent', orNull(exactly({ id: name, name: anyName }))],
  ['operator', orNull(exactly({ id: name, via: oneOf(entryVias, 'a known door') }))],
  ['decision', orNull(oneOf(entryDecisions, 'a known decision'))],
  ['resolved_by', orNull(name)],
  ['policy', orNull(exactly({ id: name, name: anyName, version: integer(1), hash }))],
  ['approval_id', orNull(name)],
  ['correlation_id', orNull(name)],
  ['private', commitments],
];

/** Version 2 is version 1 with one more member. */
const membersOfVersion2: typeof members = [...members, ['delegation', delegation]];

function delegation(value: unknown): string | null {
  const fault = exactly({ id: name, chain: (chain) => (Array.isArray(chain) ? null : 'must be a list') })(
    value,
  );
  if (fault !== null) return fault;
  const { chain } = value as { chain: unknown[] };
  const { min, max } = chainLengths;
  if (chain.length < min || chain.length > max)
    return `chain must have ${String(min)} to ${String(max)} agents`;
  const agentFault = exactly({ id: name, name: anyName });
  for (const agent of chain) {
    const detail = agentFault(agent);
    if (detail !== null) return `chain ${detail}`;
  }
  return null;
}

/** The agent of an entry of version 2 is the last of its chain. */
function endsWithItsAgent({ agent, delegation }: Entry): boolean {
  const last = delegation?.chain.at(-1);
  return agent !== null && last?.id === agent.id && last.name === agent.name;
}

/** A check of an object that has exactly these members. */
function exactly(wanted: Record<string, Judge>): Judge {
  const names = Object.keys(wanted);
  return (value) => {
    if (!isRecord(value)) return `must be an object of ${names.join(', ')}, or null`;
    for (const [member, judge] of Object.entries(wanted)) {
      if (!Object.hasOwn(value, member)) return `lacks ${member}`;
      const fault = judge(value[member]);
      if (fault !== null) return `${member} ${fault}`;
    }
    return Object.keys(value).length === names.length ? null : 'has an unknown member';
  };
}

function commitments(value: unknown): string | null {
  if (!isRecord(value)) return 'must be an object of commitments';
  for (const [field, commitment] of Object.entries(value)) {
    if (!(privateFields as readonly string[]).includes(field)) return `has an unknown field`;
    const fault = hash(commitment);
    if (fault !== null) return `${field} ${fault}`;
  }
  return null;
}

/** Finds the first fault in the shape of an entry; null when there is none. Input may be hostile. */
export function shapeFault(value: unknown): ShapeFault | null {
  if (!isRecord(value)) return { pointer: '', detail: 'must be an object' };
  const wanted = value['v'] === 2 ? membersOfVersion2 : members;
  for (const [member, judge] of wanted) {
    if (!Object.hasOwn(value, member)) return { pointer: `/${member}`, detail: 'is missing' };
    const detail = judge(value[member]);
    if (detail !== null) return { pointer: `/${member}`, detail };
  }
  if (Object.keys(value).length !== wanted.length) return { pointer: '', detail: 'has an unknown member' };
  if (value['v'] === 2 && !endsWithItsAgent(value as unknown as Entry))
    return { pointer: '/delegation', detail: 'does not end with the agent of the entry' };
  return null;
}
