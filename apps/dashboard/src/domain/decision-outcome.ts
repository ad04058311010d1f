import { plural } from './time-left.js';

export interface Seat {
  readonly group: string | null;
  readonly count: number;
}

/** What became of a request, as the reader is told. */
export type Outcome =
  | { readonly kind: 'approved_by_me'; readonly forever: boolean }
  | { readonly kind: 'denied_by_me'; readonly reason: string }
  | {
      readonly kind: 'vote_recorded';
      readonly approves: boolean;
      readonly have: number;
      readonly need: number;
      readonly seats: readonly Seat[];
    }
  /** Someone else was faster than the vote that was sent. */
  | {
      readonly kind: 'lost_race';
      readonly ended: Ended;
      readonly beforeMs: number | null;
      readonly typed: string;
    }
  | { readonly kind: 'too_late'; readonly at: string; readonly typed: string }
  /** It ended without a vote of the reader. */
  | { readonly kind: 'ended'; readonly ended: Ended };

/** How a request ended. */
export interface Ended {
  readonly status: string;
  /** Null when the system decided. */
  readonly resolvedBy: string | null;
  readonly resolvedByName: string | null;
  readonly resolvedAt: string | null;
  readonly reason: string | null;
}

const pastTense: Readonly<Record<string, string>> = {
  approved: 'approved',
  denied: 'denied',
  cancelled: 'withdrew',
};

/** `Jonas Weber denied`; for the system `null`. */
export function deed({ status, resolvedBy, resolvedByName }: Ended): string | null {
  const verb = pastTense[status];
  if (resolvedBy === null || verb === undefined) return null;
  return `${resolvedByName ?? 'Another person'} ${verb}`;
}

/** `2 s before you`. */
export function beforeYou(beforeMs: number | null): string {
  if (beforeMs === null || beforeMs < 1_000) return 'just before you';
  const seconds = Math.round(beforeMs / 1_000);
  return seconds < 120
    ? `${String(seconds)} s before you`
    : `${String(Math.round(seconds / 60))} min before you`;
}

/** `One more of Finance or Security`; seats that any person may take name no group. */
export function seatsText(seats: readonly Seat[]): string {
  const count = seats.reduce((sum, seat) => sum + seat.count, 0);
  if (count === 0) return '';
  const groups = [...new Set(seats.flatMap(({ group }) => (group === null ? [] : [group])))];
  const people = count === 1 ? 'one more' : `${String(count)} more`;
  if (groups.length === 0 || seats.some(({ group }) => group === null))
    return groups.length === 0
      ? `${people} approval${count === 1 ? '' : 's'}`
      : `${people}, with ${listed(groups, 'and')}`;
  return `${people} of ${listed(groups, 'or')}`;
}

/** `Finance, Security or Legal`. */
export function listed(names: readonly string[], word: 'and' | 'or'): string {
  if (names.length < 2) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1) ?? ''}`;
}

export const votesText = (have: number, need: number): string =>
  `${String(have)} of ${plural(need, 'approval')}`;
