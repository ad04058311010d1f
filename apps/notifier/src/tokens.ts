/** What the module provides beside the tokens of libs/service. */
export const OUTGOING_READER = Symbol('OUTGOING_READER');
export const PROJECTION = Symbol('PROJECTION');
