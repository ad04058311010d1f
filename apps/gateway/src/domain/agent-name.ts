/** Also of names from before these characters were refused. */
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** As much as an index of PostgreSQL takes, whatever a character becomes. */
const longest = 500;

/**
 * What two names share that read as one: width, composition, case, runs of white space, and characters that are not seen
 * make no difference. Letters of different scripts that look alike stay different.
 */
export function plainFormOf(name: string): string {
  const folded = name.normalize('NFKD').replace(unseen, '').toUpperCase().toLowerCase().normalize('NFKC');
  return [...folded.replace(/\s+/gu, ' ').trim()].slice(0, longest).join('');
}
