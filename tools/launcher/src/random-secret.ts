import { randomBytes } from 'node:crypto';

/** 256 random bits as base64url: safe in URLs, SQL literals and configuration files without escaping. */
export const randomSecret = () => randomBytes(32).toString('base64url');

/** A short name for one run of one process, made of [a-z0-9] so that it fits into a NATS subject token. */
export const randomInstance = () => `i${randomBytes(5).toString('hex')}`;
