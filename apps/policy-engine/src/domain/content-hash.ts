import { hash } from 'node:crypto';
import type { PolicyContent } from '@agentlattice/contracts';
import canonicalize from 'canonicalize';

/** SHA-256, lower-case hex, over the RFC 8785 form of what a policy says; stands in its events and in every verdict. */
export function contentHash(content: PolicyContent): string {
  const text = canonicalize(content);
  if (text === undefined) throw new TypeError('a policy has no canonical form');
  return hash('sha256', text, 'hex');
}
