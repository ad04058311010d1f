import { assertNever, type Decider } from '@agentlattice/decider';
import {
  type DomainEvent,
  type EventData,
  type PolicyContent,
  type PolicyPatch,
  Refused,
} from '@agentlattice/contracts';
import { contentFaults } from './compile-policy.js';
import { contentHash } from './content-hash.js';

export type Policy =
  | { readonly status: 'none' }
  | {
      readonly status: 'live';
      readonly version: number;
      readonly hash: string;
      readonly content: PolicyContent;
    }
  | { readonly status: 'deleted'; readonly version: number };

/** `expectedVersion`: the version of an If-Match header; null changes the current version. */
export type PolicyCommand =
  | { readonly type: 'CreatePolicy'; readonly policyId: string; readonly content: PolicyContent }
  | {
      readonly type: 'UpdatePolicy';
      readonly policyId: string;
      readonly patch: PolicyPatch;
      readonly expectedVersion: number | null;
    }
  | { readonly type: 'DeletePolicy'; readonly policyId: string; readonly expectedVersion: number | null };

export const policyEventTypes = [
  'policy.created',
  'policy.updated',
  'policy.activated',
  'policy.deactivated',
  'policy.deleted',
] as const;
export type PolicyEventType = (typeof policyEventTypes)[number];
export type PolicyEvent = DomainEvent<PolicyEventType>;

type Live = Extract<Policy, { status: 'live' }>;

/** One stream per policy; the policy's version is its stream's. Each event carries the whole content, so every version is kept. */
export const policyDecider: Decider<Policy, PolicyCommand, PolicyEvent> = {
  initialState: () => ({ status: 'none' }),

  decide(command, state) {
    switch (command.type) {
      case 'CreatePolicy':
        if (state.status !== 'none') throw new Refused('PRECONDITION_FAILED', 'the policy exists already');
        return [
          { type: 'policy.created', data: changed(command.policyId, 1, plain(sound(command.content))) },
        ];
      case 'UpdatePolicy': {
        const live = standing(state, command.expectedVersion);
        return update(command.policyId, live, command.patch);
      }
      case 'DeletePolicy': {
        const live = standing(state, command.expectedVersion);
        return [{ type: 'policy.deleted', data: changed(command.policyId, live.version + 1, live.content) }];
      }
      default:
        return assertNever(command);
    }
  },

  evolve(_state, event) {
    const { version, hash, content } = event.data;
    switch (event.type) {
      case 'policy.created':
      case 'policy.updated':
      case 'policy.activated':
      case 'policy.deactivated':
        return { status: 'live', version, hash, content };
      case 'policy.deleted':
        return { status: 'deleted', version };
      default:
        return assertNever(event);
    }
  },
};

function update(policyId: string, live: Live, patch: PolicyPatch): PolicyEvent[] {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const content = plain({ ...live.content, ...given });
  // A policy that is faulty by newer rules can still be switched off.
  const off = patch.active === false && Object.keys(given).length === 1;
  if (!off) sound(content);
  const data = changed(policyId, live.version + 1, content);
  // Applying the same twice writes nothing.
  if (data.hash === live.hash) return [];
  const onlyActive = contentHash({ ...content, active: live.content.active }) === live.hash;
  if (!onlyActive) return [{ type: 'policy.updated', data }];
  return [{ type: content.active ? 'policy.activated' : 'policy.deactivated', data }];
}

function standing(state: Policy, expectedVersion: number | null): Live {
  if (state.status !== 'live') throw new Refused('NOT_FOUND', 'there is no such policy in this workspace');
  if (expectedVersion !== null && expectedVersion !== state.version)
    throw new Refused('PRECONDITION_FAILED', `the policy is at version ${String(state.version)}`, {
      extra: { version: state.version },
    });
  return state;
}

function sound(content: PolicyContent): PolicyContent {
  const errors = contentFaults(content);
  if (errors.length > 0)
    throw new Refused('VALIDATION_FAILED', 'the policy has faults; see errors', { errors });
  return content;
}

/** Without an empty notice: a policy without one has the same hash as before there were notices. */
const plain = ({ notice, ...content }: PolicyContent): PolicyContent =>
  notice === undefined || notice === null ? content : { ...content, notice };

const changed = (policyId: string, version: number, content: PolicyContent): EventData<'policy.updated'> => ({
  policy_id: policyId,
  name: content.name,
  version,
  hash: contentHash(content),
  content,
});
