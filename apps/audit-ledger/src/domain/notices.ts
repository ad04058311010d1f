import type { Disclosed } from '@agentlattice/ledger';
import { commitmentsOf, disclosedOf } from './commitments.js';
import type { EntryFacts, NoticeDraft } from './draft.js';
import type { Release } from './release.js';

type NoticeType = 'ledger.created' | 'ledger.key_rotated' | 'ledger.restored';

/** An entry about the log itself. */
export const aboutLog = (type: NoticeType, org_id: string, content: Disclosed): EntryFacts => ({
  type,
  org_id,
  action_type: null,
  agent: null,
  operator: null,
  decision: null,
  resolved_by: null,
  policy: null,
  approval_id: null,
  correlation_id: null,
  private: commitmentsOf(content),
});

export interface NoticeMaking {
  readonly newId: () => string;
  readonly newSalt: () => string;
}

/** Another key signs the checkpoints of the log. A checkpoint that both keys have signed covers this entry (SPEC.md, section 4). */
export function keyRotated(
  orgId: string,
  keys: { readonly key: string; readonly previous: string | null },
  making: NoticeMaking,
): NoticeDraft {
  return notice('ledger.key_rotated', orgId, { metadata: keys }, making);
}

/** The log lost entries that were signed, and an operator let it go on without them. */
export function restored(
  orgId: string,
  { signed, size, reason }: Release,
  making: NoticeMaking,
): NoticeDraft {
  const metadata = { signed_size: signed.size, signed_root: signed.root, restored_size: size };
  return notice('ledger.restored', orgId, { metadata, reason }, making);
}

function notice(
  type: NoticeType,
  orgId: string,
  values: Parameters<typeof disclosedOf>[0],
  { newId, newSalt }: NoticeMaking,
): NoticeDraft {
  const content = disclosedOf(values, newSalt);
  return { kind: 'notice', id: newId(), facts: aboutLog(type, orgId, content), content };
}
