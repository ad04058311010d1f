import { type ServiceName, serviceNames } from '@agentlattice/contracts';

/** A service whose events the ledger takes from it: every one but the ledger itself. */
export type ForeignSource = Exclude<ServiceName, 'audit-ledger'>;
export const foreignSources = serviceNames.filter((name): name is ForeignSource => name !== 'audit-ledger');
