import type { Mail } from '@agentlattice/contracts';

/** The outcome of one attempt to send a delivery. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number | null; readonly answer: string | null }
  /** No mail server is configured: the mail is kept and shown instead. */
  | { readonly kind: 'kept'; readonly mail: Mail }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly status: number | null;
      readonly answer: string | null;
      /** The receiver refused this one message, so later ones need not wait for it. */
      readonly refused?: boolean;
      /** No further attempt can succeed. */
      readonly final?: boolean;
      /** The receiver no longer exists. */
      readonly gone?: boolean;
      readonly retryAfterMs?: number | null;
    };
