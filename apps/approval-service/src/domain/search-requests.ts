import { maskSecrets } from '@agentlattice/contracts';

/** The texts of a request that a search looks at. */
export interface Searchable {
  readonly action_type: string;
  readonly agent_name: string;
  readonly policy_name: string;
  /** JSON; null where it is too large for a search, or was erased. */
  readonly metadata: string | null;
}

/**
 * Whether a text stands in a request, without regard to case. Values that operators are not shown are not searched either:
 * otherwise a search could find out what they are.
 */
export function isFound(text: string, request: Searchable): boolean {
  const { action_type, agent_name, policy_name, metadata } = request;
  const wanted = text.toLowerCase();
  const has = (value: string) => value.toLowerCase().includes(wanted);
  return (
    [action_type, agent_name, policy_name].some(has) || (metadata !== null && someText(shown(metadata), has))
  );
}

const shown = (metadata: string) => maskSecrets(JSON.parse(metadata) as unknown, '').value;

function someText(value: unknown, has: (text: string) => boolean): boolean {
  if (value === null) return false;
  if (typeof value !== 'object') return has(String(value));
  if (Array.isArray(value)) return value.some((item) => someText(item, has));
  return Object.entries(value).some(([name, member]) => has(name) || someText(member, has));
}
