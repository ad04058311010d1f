import type { LiveEvent } from '@agentlattice/contracts';
import { cursorText, type EventCursor } from '../domain/event-cursor.js';

/** One event, serialised once for all its listeners. */
export interface FeedEntry {
  readonly id: string;
  /** The number in the id. */
  readonly sequence: number;
  readonly event: LiveEvent;
  /** The text of the event by transport, made by the first listener of each. */
  readonly forms: Map<string, string>;
}

/** A receiver of live events. */
export interface Listener {
  readonly orgId: string;
  /** Null: all events that an operator may see; else only events of these agents, and of agents that act for them. */
  readonly agentIds: ReadonlySet<string> | null;
  /** Whether it also receives events of actions, of which there are thousands a second. */
  readonly wantsActions: boolean;
  /** Must not wait. */
  readonly deliver: (entry: FeedEntry) => void;
  /** Resolves when the client has read enough to be sent more, or its connection has ended. */
  readonly whenWritable: () => Promise<void>;
  /** Missed events are no longer stored: the client fetches the state again and goes on from `id`. */
  readonly reset: (id: string) => void;
}

/** The families of events that every listener may get; the rest of the stream is not read. */
export const liveFamilies = [
  'approval',
  'policy',
  'agent',
  'delegation',
  'delivery',
  'endpoint',
  'channel',
  'member',
] as const;
const withActions = [...liveFamilies, 'action'] as const;
export const familiesFor = ({ wantsActions }: Pick<Listener, 'wantsActions'>): readonly string[] =>
  wantsActions ? withActions : liveFamilies;

/** The most events that are kept for a listener while it reads its backlog. */
const maxHeld = 5_000;

/** A listener with its position in the stream. */
export interface Subscription {
  readonly listener: Listener;
  /** The events since it joined; null once it has caught up. */
  held: FeedEntry[] | null;
  /** Nothing up to this sequence is delivered again. */
  after: number;
  /** It missed events that cannot be delivered. */
  lost: boolean;
}

/** The listeners of live events by workspace, each event delivered to each of them once and in order. */
export class LiveEventListeners {
  private readonly subscriptions = new Map<string, Set<Subscription>>();
  private count = 0;
  private actionListeners = 0;

  get size(): number {
    return this.count;
  }

  /** The families that any listener may get. */
  get families(): readonly string[] {
    return familiesFor({ wantsActions: this.actionListeners > 0 });
  }

  /** Events are held for it until `release`. */
  add(listener: Listener, { sequence }: EventCursor): Subscription {
    const subscription: Subscription = { listener, held: [], after: sequence, lost: false };
    const { orgId, wantsActions } = listener;
    const subscriptions = this.subscriptions.get(orgId) ?? new Set<Subscription>();
    this.subscriptions.set(orgId, subscriptions.add(subscription));
    this.count += 1;
    if (wantsActions) this.actionListeners += 1;
    return subscription;
  }

  /** @returns false when it was removed before */
  remove(subscription: Subscription): boolean {
    const { orgId, wantsActions } = subscription.listener;
    const subscriptions = this.subscriptions.get(orgId);
    if (subscriptions?.delete(subscription) !== true) return false;
    this.count -= 1;
    if (wantsActions) this.actionListeners -= 1;
    if (subscriptions.size === 0) this.subscriptions.delete(orgId);
    return true;
  }

  /** The events that came since it joined, or since this was last called. */
  takeHeld(subscription: Subscription): readonly FeedEntry[] {
    const { held, lost } = subscription;
    if (held === null || lost) return [];
    subscription.held = [];
    return held;
  }

  /** It has caught up: delivers the held events, or tells it to fetch the state again and go on from `end`. */
  release(subscription: Subscription, end: EventCursor): void {
    const { held, lost, listener } = subscription;
    subscription.held = null;
    if (lost) {
      subscription.after = end.sequence;
      listener.reset(cursorText(end));
    } else for (const entry of held ?? []) this.deliver(subscription, entry);
  }

  /** The stream is another one, so the events in between are unknown: all listeners go on from its `end`. */
  resetAll(end: EventCursor): void {
    for (const subscriptions of this.subscriptions.values())
      for (const subscription of subscriptions) {
        subscription.after = end.sequence;
        if (subscription.held === null) subscription.listener.reset(cursorText(end));
        else subscription.lost = true;
      }
  }

  deliverToAll(entry: FeedEntry): void {
    for (const subscription of this.subscriptions.get(entry.event.org_id) ?? []) {
      if (subscription.held === null) this.deliver(subscription, entry);
      else if (subscription.held.length < maxHeld) subscription.held.push(entry);
      else subscription.lost = true;
    }
  }

  deliver(subscription: Subscription, entry: FeedEntry): void {
    const { listener, after } = subscription;
    if (entry.sequence <= after) return;
    subscription.after = entry.sequence;
    const { agent_id, acting_for = [], type } = entry.event;
    if (!listener.wantsActions && type.startsWith('action.')) return;
    const { agentIds } = listener;
    if (agentIds === null || [agent_id, ...acting_for].some((id) => id !== null && agentIds.has(id)))
      listener.deliver(entry);
  }
}
