import type { PolicyContent, PolicyView } from '@agentlattice/contracts';

/** What a version of the policy consists of, without what the server adds. */
export const contentOf = ({
  id: _id,
  version: _version,
  hash: _hash,
  approval_required: _required,
  has_conditions: _has,
  created_at: _created,
  updated_at: _updated,
  warnings: _warnings,
  ...content
}: PolicyView): PolicyContent => content;
