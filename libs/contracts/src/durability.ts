/** Settings of a PostgreSQL session, as `current_setting` shows them. */
export interface DurabilitySettings {
  readonly fsync: string;
  readonly synchronous_commit: string;
}

/** Whether a commit that was answered is on disk. The audit log is not written otherwise. */
export const commitsWaitForDisk = ({ fsync, synchronous_commit }: DurabilitySettings): boolean =>
  fsync === 'on' && ['on', 'remote_apply'].includes(synchronous_commit);
