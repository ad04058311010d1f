import { type Projection, type ProjectionOptions, startProjection } from '@agentlattice/event-store';
import { noteForever } from '../outbound/forever-requests.js';

const askForForeverMs = 2_000;
const idleAskForForeverMs = 8_000;

type Ports = Pick<ProjectionOptions, 'pool' | 'nc' | 'client' | 'logger'>;
type Source = Pick<
  ProjectionOptions,
  'sources' | 'types' | 'containing' | 'onlyAsks' | 'checkEveryMs' | 'idleEveryMs'
>;

const project = (source: Source, ports: Ports): Projection =>
  startProjection({ ...source, ...ports, durable: 'policy-engine-forever', handle: noteForever });

/** The members of all workspaces, from the gateway's events. */
export const startMemberEvents = (ports: Ports): Projection =>
  project(
    {
      sources: ['gateway'],
      types: ['member.created', 'member.accepted', 'member.updated', 'member.removed'],
    },
    ports,
  );

/**
 * Approvals forever, from the approval-service's events. The gateway sends a command for each; this finds approvals whose command
 * was lost. It asks the service instead of subscribing, because few approvals are forever.
 */
export const startForeverEvents = (ports: Ports): Projection =>
  project(
    {
      sources: ['approval-service'],
      types: ['approval.approved'],
      containing: { scope: 'forever' },
      onlyAsks: true,
      checkEveryMs: askForForeverMs,
      idleEveryMs: idleAskForForeverMs,
    },
    ports,
  );
