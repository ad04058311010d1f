import { type Entry, parseEntry } from '@agentlattice/ledger';
import type { Api } from './api.js';

/** Every entry of the workspace's log, by the auditor's route. */
export async function readLog(admin: Api): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const { status, text } = await admin.get(`/api/v1/audit/entries?from=${String(entries.length)}`);
    if (status !== 200) throw new Error(`entries answered ${String(status)}: ${text}`);
    if (text === '') return entries;
    for (const line of text.trimEnd().split('\n')) entries.push(parseEntry(Buffer.from(line)));
  }
}
