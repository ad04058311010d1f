import type { KeyObject } from 'node:crypto';
import { type KeyFolder, signingKey } from '@agentlattice/service';

/** The ledger's own keys; no other service reads them. */
export interface LedgerKeys {
  readonly checkpoints: KeyObject;
  readonly grants: KeyObject;
}

export const ledgerKeys = async (folder: KeyFolder): Promise<LedgerKeys> => ({
  checkpoints: await signingKey(folder, 'audit-ledger-checkpoints'),
  grants: await signingKey(folder, 'audit-ledger-grants'),
});
