import type { PolicyContent, PolicyView } from '@agentlattice/contracts';

/** A row of the read model. */
export interface PolicyRow {
  policy_id: string;
  version: number;
  hash: string;
  content: PolicyContent;
  created_at: Date;
  updated_at: Date;
}

export const policyColumns = 'policy_id, version, hash, content, created_at, updated_at';

/** A policy as the API shows it. */
export function toView(row: PolicyRow): PolicyView {
  const { content } = row;
  const has_conditions = content.conditions.length > 0 || content.condition_expression !== null;
  return {
    id: row.policy_id,
    ...content,
    version: row.version,
    hash: row.hash,
    approval_required:
      content.effect === 'require_approval' || (content.effect === 'conditional' && !has_conditions),
    has_conditions,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
