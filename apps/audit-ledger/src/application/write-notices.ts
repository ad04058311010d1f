import type { NoticeDraft } from '../domain/draft.js';
import { keyRotated, type NoticeMaking, restored } from '../domain/notices.js';
import type { GuardPorts } from './guard-start.js';

export interface NoticePorts extends NoticeMaking {
  readonly guard: GuardPorts;
  /** Resolves when the entry is on disk. */
  readonly append: (draft: NoticeDraft) => Promise<void>;
}

/**
 * Writes what the logs must say about themselves: that another key signs their checkpoints, and that an operator let them go on without
 * signed entries. What is due follows from archive and tables, so a crash loses no notice and a repetition writes none twice.
 */
export const makeWriteNotices =
  ({ guard: { archive, checkpoints, keys }, append, ...making }: NoticePorts) =>
  async (): Promise<void> => {
    for (const [orgId, release] of await archive.releases()) {
      const isLeft = (await checkpoints.end(orgId)) !== null;
      if (isLeft && !(await checkpoints.saysRestored(orgId, release.size)))
        await append(restored(orgId, release, making));
    }
    for (const { orgId, origin, note } of await checkpoints.newestOfAll()) {
      if (keys.isSigned(origin, note)) continue;
      const rotation = { key: keys.verifierKey(origin), previous: keys.signerOf(origin, note) };
      await append(keyRotated(orgId, rotation, making));
    }
  };
