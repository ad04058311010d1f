export type KeyState = 'works' | 'expired' | 'revoked';

interface Ends {
  readonly revoked_at: string | null;
  readonly expires_at: string | null;
}

/** Whether a key still works, by the server's time. */
export function keyStateOf({ revoked_at, expires_at }: Ends, now: number): KeyState {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= now ? 'expired' : 'works';
}
