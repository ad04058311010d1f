import { hash } from 'node:crypto';
import type { PolicyContent } from '@agentlattice/contracts';
import canonicalize from 'canonicalize';

/** SHA-256 in lower-case hex over the RFC 8785 form of a policy's content; part of its events and of every verdict. */
export function contentHash(content: PolicyContent): string {
  const text = canonicalize(content);
  if (text === undefined) throw new TypeError('a policy has no canonical form');
  return hash('sha256', text, 'hex');
}
