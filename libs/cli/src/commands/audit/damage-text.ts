import { safeText } from '../../render/safe-text.js';
import type { Damage, DamageCode } from './archive-check.js';

const meanings: Readonly<Record<DamageCode, string>> = {
  malformed: 'the bytes are no entry of the format',
  edited: 'the entry was changed',
  chain_broken: 'the entry does not follow the one before it',
  sequence_gap: 'an entry was taken out',
  reordered: 'entries were exchanged',
  inserted: 'an entry was put in that was not signed',
  foreign_log: 'it belongs to another log',
  source_gap: 'an event of a service was left out',
  commitment_mismatch: 'a disclosed value is not the one that was recorded',
  truncated: 'the end of the log was cut off',
  root_mismatch: 'entries were rewritten',
  bad_checkpoint: 'the checkpoint was changed',
  bad_signature: 'the checkpoint was not signed by this key',
  damaged_archive: 'the archive is damaged',
  bad_key: 'the key was changed',
  foreign_key: 'the key is not the trusted one',
};

/** The first bad entry and the kind of damage, in a sentence. */
export function damageText({ code, at, since, detail }: Damage): string {
  const place =
    at === null
      ? ''
      : since !== undefined && since !== at
        ? `in entries ${String(since)} to ${String(at)}: `
        : `at entry ${String(at)}: `;
  return `${place}${meanings[code]} (${code}: ${safeText(detail)})`;
}
