import type { Tampering } from '../domain/tampering.js';

/** What a replica found in a workspace. */
export interface WorkspaceFindings {
  readonly tampered: readonly Tampering[];
  /** True when the policies were compared with the log. */
  readonly compared: boolean;
}

/** What this replica found and has not written yet, by workspace: the newest findings replace older ones. */
export class TamperingFindings {
  private readonly byWorkspace = new Map<string, WorkspaceFindings>();
  private onNoted: () => void = () => {};

  /** @param onNoted called when there is something to write */
  listen(onNoted: () => void): void {
    this.onNoted = onNoted;
  }

  note(orgId: string, findings: WorkspaceFindings): void {
    this.byWorkspace.set(orgId, findings);
    this.onNoted();
  }

  unwritten(): [orgId: string, findings: WorkspaceFindings][] {
    return [...this.byWorkspace];
  }

  /** Forgets findings that are written, unless newer ones replaced them. */
  written(orgId: string, findings: WorkspaceFindings): void {
    if (this.byWorkspace.get(orgId) === findings) this.byWorkspace.delete(orgId);
  }
}
