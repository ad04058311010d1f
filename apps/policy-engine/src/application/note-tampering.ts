import type { EventStore } from '@agentlattice/event-store';
import { idle } from '@agentlattice/service';
import type { Tampering } from '../domain/tampering.js';
import { tamperingDecider } from '../domain/tampering-decider.js';

const streamOf = (policyId: string) => `tampering:${policyId}`;
const meta = {
  actor: { kind: 'system' as const, id: null, key_id: null, via: 'system' as const },
  correlation_id: null,
  traceparent: null,
};

/** What a replica knows of a workspace. */
export interface Noted {
  readonly tampered: readonly Tampering[];
  /** True when the policies were compared with the log. */
  readonly compared: boolean;
}

/**
 * Writes an event when a policy was found to be tampered with, and one when it is no longer: once each, however many
 * replicas find it, and again after a restart only what was not written.
 */
export class NoteTampering {
  private readonly found = new Map<string, Noted>();
  private toldOf: () => void = () => {};

  constructor(
    /** Streams of a workspace whose newest event is a detection. */
    private readonly openTamperings: (orgId: string) => Promise<string[]>,
    private readonly store: EventStore,
  ) {}

  /** @param told called when there is something to write */
  onNoted(told: () => void): void {
    this.toldOf = told;
  }

  /** What stands in a workspace now; written at the next turn. */
  note(orgId: string, noted: Noted): void {
    this.found.set(orgId, noted);
    this.toldOf();
  }

  async writeNoted(): Promise<typeof idle | undefined> {
    if (this.found.size === 0) return idle;
    for (const [orgId, noted] of this.found) {
      const { tampered, compared } = noted;
      for (const tampering of tampered)
        await this.write(orgId, tampering.policy.id, { type: 'Detected', tampering });
      // Before the policies were compared with the log, nothing can be said to be well again.
      const standing = new Set(tampered.map(({ policy }) => streamOf(policy.id)));
      for (const streamId of compared ? await this.openTamperings(orgId) : [])
        if (!standing.has(streamId))
          await this.write(orgId, streamId.slice(streamOf('').length), { type: 'Ended' });
      if (this.found.get(orgId) === noted) this.found.delete(orgId);
    }
    return undefined;
  }

  private write(
    orgId: string,
    policyId: string,
    command: { type: 'Detected'; tampering: Tampering } | { type: 'Ended' },
  ) {
    return this.store.update({
      decider: tamperingDecider,
      orgId,
      streamId: streamOf(policyId),
      command,
      meta,
    });
  }
}
