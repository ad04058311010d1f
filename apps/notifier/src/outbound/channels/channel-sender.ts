import type { ChannelSettings, ChannelTest, ChannelType } from '@agentlattice/contracts';
import type { CloudEvent } from '../../domain/mail-content.js';
import type { Outcome } from '../../domain/outcome.js';

/** One message to send. */
export interface Message<T extends ChannelType = ChannelType> {
  /** The same at every attempt, so that receivers recognise a repetition. */
  readonly deliveryId: string;
  readonly event: CloudEvent;
  readonly settings: ChannelSettings<T>;
  /** The secrets of a signed channel: the current one first, then the former one while it is valid. */
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
  /** Whether requests are signed with a secret of the channel. */
  readonly signed: boolean;
  /** The most messages of this type that one process sends at a time; set when all of them use the same server. */
  readonly atOnce?: number;
  /** Never throws because of the receiver. */
  send(message: Message<T>): Promise<Sent>;
  close?(): void;
}
export type ChannelSenders = { readonly [T in ChannelType]: ChannelSender<T> };
