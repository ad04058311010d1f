/**
 * Whether a pattern covers an action type, or everything that another pattern covers. It matches as patterns of policies do:
 * exact, `prefix.*` (everything below the prefix) or `*`.
 */
export function covers(pattern: string, other: string): boolean {
  if (pattern === '*' || pattern === other) return true;
  return pattern.endsWith('.*') && other.startsWith(pattern.slice(0, -1));
}

export const coveredByOne = (patterns: readonly string[], other: string): boolean =>
  patterns.some((pattern) => covers(pattern, other));
