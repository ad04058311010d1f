import { type PolicyContent, policyInput } from '@agentlattice/contracts';
import { typeid } from 'typeid-js';
import { compilePolicy, type CompiledPolicy } from '../src/domain/compile-policy.js';
import { contentHash } from '../src/domain/content-hash.js';
import type { Action } from '../src/domain/facts.js';

/** The content of a policy with the defaults of the API. Only policies of earlier releases are in shadow mode. */
export const content = ({
  mode,
  ...members
}: Readonly<Record<string, unknown>> & { readonly mode?: PolicyContent['mode'] } = {}): PolicyContent => {
  const written = policyInput.parse({
    name: 'a policy',
    action_type: 'deploy.production',
    effect: 'require_approval',
    ...members,
  });
  return { ...written, mode: mode ?? written.mode };
};

/** A stored policy; `age` orders policies: the higher, the younger. */
export const stored = (
  members: Parameters<typeof content>[0],
  { age = 0, tampered = false } = {},
): CompiledPolicy => {
  const policy = content(members);
  return compilePolicy({
    ref: { id: typeid('pol').toString(), name: policy.name, version: 1, hash: contentHash(policy) },
    content: policy,
    createdAt: new Date(Date.UTC(2026, 0, 1) + age * 1_000).toISOString(),
    tampered,
    author: null,
    authors: [],
  });
};

export const builder = {
  id: 'agt_01jd7e5sqcfnmrq9yh4qvxw2k3',
  name: 'builder',
  owner_member_id: null,
  suspended: false,
};

export const action = (members: {
  action_type: string;
  metadata?: unknown;
  data_accessed?: unknown;
  delegation_id?: string;
  agent?: { suspended?: boolean };
}): Action => ({
  action_type: members.action_type,
  metadata: JSON.stringify(members.metadata ?? {}),
  data_accessed: JSON.stringify(members.data_accessed ?? []),
  delegation_id: members.delegation_id ?? null,
  agent: { ...builder, ...members.agent },
});

/** A Wednesday. */
export const wednesdayMorning = Date.UTC(2026, 10, 25, 9, 30);
