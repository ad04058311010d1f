import { hashBytes } from './tree-hash.js';

/** A tree head of C2SP tlog-checkpoint. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** A checkpoint text that is not in the form of C2SP tlog-checkpoint. */
export class CheckpointMalformed extends Error {
  override name = 'CheckpointMalformed';
}

/** Text of a checkpoint, before its signature. */
export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${String(size)}\n${root.toString('base64')}\n`;

/**
 * Reads the text of a checkpoint. Input from outside is hostile: one form only, extension lines are allowed and ignored.
 * @throws CheckpointMalformed
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...rest] = text.split('\n');
  if (!origin || size === undefined || root === undefined || rest.length === 0 || rest.at(-1) !== '')
    throw new CheckpointMalformed('checkpoint needs an origin, a size and a root, each on a line');
  if (rest.slice(0, -1).some((line) => line === ''))
    throw new CheckpointMalformed('checkpoint has an empty extension line');
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new CheckpointMalformed('size of checkpoint is not a decimal number below 2^53');
  const bytes = Buffer.from(root, 'base64');
  if (bytes.length !== hashBytes || bytes.toString('base64') !== root)
    throw new CheckpointMalformed('root of checkpoint is not base64 of 32 bytes');
  return { origin, size: Number(size), root: bytes };
}
