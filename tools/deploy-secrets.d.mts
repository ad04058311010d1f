/** The content of each file of a new installation. */
export function newSecrets(): Record<string, string>;
