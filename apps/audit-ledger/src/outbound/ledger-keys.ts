import type { KeyObject } from 'node:crypto';
import { signingKey } from '@agentlattice/service';

/** The ledger's own keys; no other service reads them. */
export interface LedgerKeys {
  readonly checkpoints: KeyObject;
  readonly grants: KeyObject;
}

export const ledgerKeys = async (dataDir: string): Promise<LedgerKeys> => ({
  checkpoints: await signingKey(dataDir, 'audit-ledger-checkpoints'),
  grants: await signingKey(dataDir, 'audit-ledger-grants'),
});
