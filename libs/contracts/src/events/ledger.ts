import { z } from 'zod';

/** The first entry of every log. `log` is the origin in its checkpoints. */
export const ledgerCreatedV1 = z.strictObject({ log: z.string() });

/** Another key signs the checkpoints of the log; the entry's disclosed metadata names both keys. */
export const ledgerKeyRotatedV1 = z.strictObject({ log: z.string() });

/** The log goes on without entries that were signed; the entry's disclosed metadata names the signed size and root. */
export const ledgerRestoredV1 = z.strictObject({ log: z.string() });
