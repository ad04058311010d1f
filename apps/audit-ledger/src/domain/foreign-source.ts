import { type ServiceName, serviceNames } from '@agentlattice/contracts';

/** A service whose events the ledger takes in: every service except the ledger. */
export type ForeignSource = Exclude<ServiceName, 'audit-ledger'>;
export const foreignSources = serviceNames.filter((name): name is ForeignSource => name !== 'audit-ledger');
