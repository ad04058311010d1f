import { safeText } from './safe-text.js';

/** What this client calls those who decide without being a person. */
const reserved = /^(the )?(system|agent|policy|nobody)$/i;

/** A member by name. A name can be any text, an id cannot: one that reads as if no person had decided has the id beside it. */
export function personText(memberId: string, name: string | null | undefined): string {
  if (name === null || name === undefined) return safeText(memberId);
  return reserved.test(name.trim()) ? `“${safeText(name)}” (${safeText(memberId)})` : safeText(name);
}
