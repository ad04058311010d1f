import { safeText } from './safe-text.js';

/** A member by name with the id beside it: a name can be anything, also “the system”, and the id cannot. */
export const personText = (memberId: string, name: string | null | undefined): string =>
  name === null || name === undefined ? safeText(memberId) : `${safeText(name)} (${safeText(memberId)})`;
