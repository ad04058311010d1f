/** The tokens of the providers of `ServiceModule`. */
export const CONFIG = Symbol('CONFIG');
export const LOGGER = Symbol('LOGGER');
export const POOL = Symbol('POOL');
export const NATS = Symbol('NATS');
export const COMMANDS = Symbol('COMMANDS');
export const HEALTH = Symbol('HEALTH');
export const LAGS = Symbol('LAGS');
