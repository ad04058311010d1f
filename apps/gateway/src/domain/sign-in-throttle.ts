/** The failed tries of one account, or from one network address. */
export interface Attempts {
  readonly failures: number;
  /** Epoch milliseconds of the last try. */
  readonly lastAt: number;
}

export const attemptKinds = ['account', 'address'] as const;
export type AttemptKind = (typeof attemptKinds)[number];

interface Rule {
  /** Failures without a pause. */
  readonly free: number;
  /** The pause after them, which doubles with each further failure. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Many people may share a network address, so it has more free failures than an account. */
const rules: Readonly<Record<AttemptKind, Rule>> = {
  account: { free: 5, firstMs: 60_000, mostMs: 15 * 60_000 },
  address: { free: 30, firstMs: 60_000, mostMs: 15 * 60_000 },
};
/** Longer than every pause. */
export const forgetAfterMs = 60 * 60_000;

export interface Decided {
  /** 0: the try may be made. */
  readonly waitMs: number;
  readonly next: Readonly<Record<AttemptKind, Attempts>>;
}

/**
 * Whether a password may be tried now. A try counts as failed until it has succeeded, so that tries made at the same time
 * count each other. A refused try changes nothing: it does not prolong the pause of the person whom the account belongs to.
 */
export function decideAttempt(known: Readonly<Record<AttemptKind, Attempts>>, now: number): Decided {
  const waitMs = Math.max(0, ...attemptKinds.map((kind) => pauseEnds(kind, known[kind], now) - now));
  if (waitMs > 0) return { waitMs, next: known };
  const counted = (kind: AttemptKind): Attempts => ({
    failures: remembered(known[kind], now) + 1,
    lastAt: now,
  });
  return { waitMs: 0, next: { account: counted('account'), address: counted('address') } };
}

const remembered = ({ failures, lastAt }: Attempts, now: number) =>
  now - lastAt >= forgetAfterMs ? 0 : failures;

function pauseEnds(kind: AttemptKind, attempts: Attempts, now: number): number {
  const { free, firstMs, mostMs } = rules[kind];
  const failures = remembered(attempts, now);
  if (failures < free) return 0;
  return attempts.lastAt + Math.min(firstMs * 2 ** (failures - free), mostMs);
}

/**
 * The form of an address of mail by which its account is found and its tries are counted. One form for both: letters that the
 * database takes for the same and this program does not would let each spelling have tries of its own.
 */
export const triedAddress = (email: string): string => email.trim().toLowerCase();

/** An IPv6 customer has at least a /64, so its addresses count together. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right]
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':');
}
