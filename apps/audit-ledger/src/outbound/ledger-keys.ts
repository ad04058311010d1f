import { type KeyFolder, type SigningKeys, signingKeys } from '@agentlattice/service';
import { checkpointKeys, type CheckpointKeys } from '../domain/checkpoint-keys.js';

/** The ledger's own keys; no other service reads them. */
export interface LedgerKeys {
  readonly checkpoints: CheckpointKeys;
  readonly grants: SigningKeys;
}

export const ledgerKeys = async (folder: KeyFolder): Promise<LedgerKeys> => ({
  checkpoints: checkpointKeys(await signingKeys(folder, 'audit-ledger-checkpoints')),
  grants: await signingKeys(folder, 'audit-ledger-grants'),
});
