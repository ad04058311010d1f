import { z } from 'zod';

/** The first entry of every log. `log` is the origin in its checkpoints. */
export const ledgerCreatedV1 = z.strictObject({ log: z.string() });
