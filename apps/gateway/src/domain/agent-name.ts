import { seenOf } from '@agentlattice/contracts';

/** As much as an index of PostgreSQL takes, whatever a character becomes. */
const longest = 500;

/**
 * What two names share that read as one: width, composition, case, runs of white space, and characters that are not seen
 * make no difference, also in names from before these were refused. Letters of different scripts that look alike stay
 * different.
 */
export function plainFormOf(name: string): string {
  const folded = seenOf(name.normalize('NFKD')).toUpperCase().toLowerCase().normalize('NFKC');
  return [...folded.replace(/\s+/gu, ' ').trim()].slice(0, longest).join('');
}
