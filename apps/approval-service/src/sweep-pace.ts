/** The pace of a sweep that finds what a lost message, a lost timer or a dead process left. */
export const sweepPace = {
  everyMs: 1_000,
  /**
   * While there is nothing to do; each commit of this process brings the usual pace back. Below what is promised after timers,
   * messages or a process were lost (15 s).
   */
  idleMs: 8_000,
} as const;
