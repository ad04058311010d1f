import type { EventStore } from '@agentlattice/event-store';
import { idle } from '@agentlattice/service';
import { type TamperingCommand, tamperingDecider } from '../domain/tampering-decider.js';
import type { TamperingFindings } from './tampering-findings.js';

const streamOf = (policyId: string) => `tampering:${policyId}`;
const meta = {
  actor: { kind: 'system' as const, id: null, key_id: null, via: 'system' as const },
  correlation_id: null,
  traceparent: null,
};

export interface WriteTamperingPorts {
  readonly findings: Pick<TamperingFindings, 'unwritten' | 'written'>;
  /** Streams of a workspace whose newest event is a detection. */
  readonly openTamperings: (orgId: string) => Promise<string[]>;
  readonly store: EventStore;
}

/**
 * Writes one event when a policy was found to be tampered with, and one when it is no longer, however many replicas find it;
 * after a restart only what is not written yet.
 */
export const makeWriteTampering = ({ findings, openTamperings, store }: WriteTamperingPorts) => {
  const write = (orgId: string, policyId: string, command: TamperingCommand) =>
    store.update({ decider: tamperingDecider, orgId, streamId: streamOf(policyId), command, meta });
  return async (): Promise<typeof idle | undefined> => {
    const unwritten = findings.unwritten();
    if (unwritten.length === 0) return idle;
    for (const [orgId, found] of unwritten) {
      const { tampered, compared } = found;
      for (const tampering of tampered)
        await write(orgId, tampering.policy.id, { type: 'Detected', tampering });
      // Before the policies were compared with the log, it is not known that any tampering ended.
      const standing = new Set(tampered.map(({ policy }) => streamOf(policy.id)));
      for (const streamId of compared ? await openTamperings(orgId) : [])
        if (!standing.has(streamId))
          await write(orgId, streamId.slice(streamOf('').length), { type: 'Ended' });
      findings.written(orgId, found);
    }
    return undefined;
  };
};
export type WriteTampering = ReturnType<typeof makeWriteTampering>;
