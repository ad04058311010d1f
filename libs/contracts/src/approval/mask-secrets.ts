/** What stands in the place of a JSON value, and the pointers (RFC 6901) of the values that were taken out. */
export interface Masked<T> {
  readonly value: T;
  readonly masked: readonly string[];
}

/** Names of members that hold secrets, compared in lower case and without `-`, `_` and spaces. */
const secretParts = ['token', 'secret', 'password', 'apikey'] as const;
const secretNames = new Set(['authorization']);

const secretTexts: readonly RegExp[] = [
  // Keys of this system.
  /\bal_[a-z]{2,12}_[A-Za-z0-9_-]{16,}/,
  // AWS access key ids.
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  // GitHub.
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  // Slack.
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/,
  /\bxapp-[A-Za-z0-9-]{8,}/,
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/,
  // JWT: two base64url parts that begin as a JSON object does.
  /\beyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{2,}/,
];

const isSecretName = (name: string) => {
  const plain = name.toLowerCase().replace(/[-_\s]/g, '');
  return secretNames.has(plain) || secretParts.some((part) => plain.includes(part));
};
const isSecretText = (value: unknown) =>
  typeof value === 'string' && secretTexts.some((pattern) => pattern.test(value));
/** True, false and null say that there is a secret, not which one. */
const tellsNothing = (value: unknown) => value === null || typeof value === 'boolean';

export const pointerTo = (at: string, name: string) =>
  `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/**
 * Replaces values that look like secrets by null: those of members with such a name, and texts that look like a key. The
 * name of a member that itself looks like a key is replaced as well.
 * @param at the pointer of the value
 */
export function maskSecrets<T>(value: T, at: string): Masked<T> {
  const masked: string[] = [];
  // The walk keeps the shape of the value, except for what it takes out.
  const shown = maskIn(value, at, masked) as T;
  return { value: masked.length === 0 ? value : shown, masked };
}

function maskIn(value: unknown, at: string, masked: string[]): unknown {
  if (isSecretText(value)) return takenOut(at, masked);
  if (Array.isArray(value)) return value.map((item, i) => maskIn(item, `${at}/${String(i)}`, masked));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    membersOf(value, at).map(({ name, place, member, isSecret }) => [
      name,
      isSecret ? takenOut(place, masked) : maskIn(member, place, masked),
    ]),
  );
}

function takenOut(at: string, masked: string[]): null {
  masked.push(at);
  return null;
}

/** The members of an object with the names under which they are shown. */
const membersOf = (value: object, at: string) =>
  Object.entries(value).map(([name, member]: [string, unknown], i) => {
    const shownName = isSecretText(name) ? `(hidden ${String(i + 1)})` : name;
    const isSecret = shownName !== name || (isSecretName(name) && !tellsNothing(member));
    return { name: shownName, place: pointerTo(at, shownName), member, isSecret };
  });

/** A value without members, or one that is masked as a whole. */
export interface Leaf {
  /** For comparison: the JSON text of the real value. */
  readonly json: string;
  readonly value: unknown;
  readonly masked: boolean;
}

/**
 * The values without members in a value, by their pointers, at most `most` of them. Masked ones can be compared by `json` and
 * must not be shown.
 */
export function leavesOf(value: unknown, at: string, most: number): ReadonlyMap<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  collect(value, at, false, leaves, most);
  return leaves;
}

function collect(
  value: unknown,
  at: string,
  isSecret: boolean,
  leaves: Map<string, Leaf>,
  most: number,
): void {
  if (leaves.size >= most) return;
  const masked = isSecret || isSecretText(value);
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (masked || isEmpty) leaves.set(at, { json: JSON.stringify(value), value, masked });
  else if (Array.isArray(value))
    value.forEach((item, i) => {
      collect(item, `${at}/${String(i)}`, false, leaves, most);
    });
  else
    for (const member of membersOf(value, at))
      collect(member.member, member.place, member.isSecret, leaves, most);
}
