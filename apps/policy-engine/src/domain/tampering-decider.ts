import { assertNever, type Decider } from '@agentlattice/decider';
import type { DomainEvent } from '@agentlattice/contracts';
import type { Tampering } from './tampering.js';

type TamperingEvent = DomainEvent<'policy.tampering_detected' | 'policy.tampering_ended'>;
type Detected = DomainEvent<'policy.tampering_detected'>['data'];

/** The detection that stands; null when the policy is what the log recorded. */
export type TamperingState = Detected | null;
export type TamperingCommand =
  { readonly type: 'Detected'; readonly tampering: Tampering } | { readonly type: 'Ended' };

/** One stream per policy, in addition to the policy's own: each detection is written once, however often it is made. */
export const tamperingDecider: Decider<TamperingState, TamperingCommand, TamperingEvent> = {
  initialState: () => null,

  decide(command, standing) {
    switch (command.type) {
      case 'Detected': {
        const { policy, action_type, reason, found } = command.tampering;
        const data = { policy, action_type, reason, found: found === null ? null : { ...found } };
        return standing !== null && isSame(standing, data)
          ? []
          : [{ type: 'policy.tampering_detected', data }];
      }
      case 'Ended': {
        if (standing === null) return [];
        const { policy, action_type } = standing;
        return [{ type: 'policy.tampering_ended', data: { policy, action_type } }];
      }
      default:
        return assertNever(command);
    }
  },

  evolve(_state, event) {
    return event.type === 'policy.tampering_detected' ? event.data : null;
  },
};

const isSame = (a: Detected, b: Detected) =>
  a.reason === b.reason &&
  a.policy.version === b.policy.version &&
  a.policy.hash === b.policy.hash &&
  a.found?.version === b.found?.version &&
  a.found?.hash === b.found?.hash;
