import type { ChannelSettings, ChannelTest, ChannelType } from '@agentlattice/contracts';
import type { CloudEvent } from '../../domain/mail-content.js';
import type { Outcome } from '../../domain/outcome.js';

/** What a sender sends. */
export interface Message<T extends ChannelType = ChannelType> {
  /** The same at every attempt: receivers recognise a repetition by it. */
  readonly deliveryId: string;
  readonly event: CloudEvent;
  readonly settings: ChannelSettings<T>;
  /** Of a signed channel: the current one first, and the former one while both are valid. */
  readonly secrets: readonly string[];
  /** Aborted when the process stops; the delivery is tried again later. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface Sent {
  readonly request: ChannelTest['request'];
  readonly outcome: Outcome;
}

/** Sends through one type of channel. */
export interface ChannelSender<T extends ChannelType = ChannelType> {
  /** Its requests are signed with a secret of the channel. */
  readonly signed: boolean;
  /** How many of this type one process sends at a time, where all of them use the same server. */
  readonly atOnce?: number;
  /** Never throws for what the receiver does. */
  send(message: Message<T>): Promise<Sent>;
  close?(): void;
}
export type ChannelSenders = { readonly [T in ChannelType]: ChannelSender<T> };
