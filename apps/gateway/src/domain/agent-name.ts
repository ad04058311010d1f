import { visibleTextOf } from '@agentlattice/contracts';

/** Fits into an index of PostgreSQL, however many bytes each character takes. */
const longest = 500;

/**
 * The plain form of a name: equal for names that read the same. Width, composition, case, runs of white space and invisible
 * characters make no difference, also in names from before these were refused. Letters of different scripts that look alike
 * stay different.
 */
export function plainFormOf(name: string): string {
  const folded = visibleTextOf(name.normalize('NFKD')).toUpperCase().toLowerCase().normalize('NFKC');
  return [...folded.replace(/\s+/gu, ' ').trim()].slice(0, longest).join('');
}
