import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webcrypto } from 'node:crypto';
import { leafHashOf, noHash, readLogEntry } from './log-entry.js';

const testdata = join(import.meta.dirname, '../../../../libs/ledger/testdata');
const entries = readFileSync(join(testdata, 'log.ndjson'), 'utf8').split('\n').filter(Boolean);

describe('an entry of the log, read in the browser', () => {
  it('has the hash that the next one names', async () => {
    let before = noHash;
    for (const bytes of entries) {
      expect(readLogEntry(bytes)?.prev_hash).toBe(before);
      before = await leafHashOf(bytes, webcrypto.subtle);
    }
    expect(entries).toHaveLength(13);
  });

  it('has another hash when one byte differs', async () => {
    const [first = ''] = entries;
    const changed = first.replace('"seq":0', '"seq":9');
    expect(changed).not.toBe(first);
    expect(await leafHashOf(changed, webcrypto.subtle)).not.toBe(readLogEntry(entries[1] ?? '')?.prev_hash);
  });

  it.each(['', 'null', '{}', '[]', '{"seq":"0"}'])('is not read from %j', (bytes) =>
    expect(readLogEntry(bytes)).toBeNull(),
  );
});
