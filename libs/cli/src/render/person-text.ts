import { safeText } from './safe-text.js';

/** A member's name and id: a name can be any text, for example “the system”, an id cannot. */
export const personText = (memberId: string, name: string | null | undefined): string =>
  name === null || name === undefined ? safeText(memberId) : `${safeText(name)} (${safeText(memberId)})`;
