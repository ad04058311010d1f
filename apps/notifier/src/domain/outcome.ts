import type { Mail } from '@agentlattice/contracts';

/** How one attempt to send a delivery ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number | null; readonly answer: string | null }
  /** No mail server is configured: the mail is kept and shown instead. */
  | { readonly kind: 'kept'; readonly mail: Mail }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly status: number | null;
      readonly answer: string | null;
      /** The receiver refused this one message: later ones need not wait for it. */
      readonly refused?: boolean;
      /** No further attempt can change it. */
      readonly final?: boolean;
      /** The receiver wants nothing more, ever. */
      readonly gone?: boolean;
      readonly retryAfterMs?: number | null;
    };
