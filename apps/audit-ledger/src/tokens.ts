/** Tokens of this service, in addition to those of every service. */
export const LEDGER_CONFIG = Symbol('LEDGER_CONFIG');
export const KEYS = Symbol('KEYS');
export const GRANTS = Symbol('GRANTS');
export const ARCHIVE = Symbol('ARCHIVE');
export const CHECKPOINTS = Symbol('CHECKPOINTS');
export const CHECKS = Symbol('CHECKS');
