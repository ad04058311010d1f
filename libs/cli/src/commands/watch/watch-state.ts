import type { ApprovalView } from '@agentlattice/contracts';

/** The live list of `al approvals watch`. Pure: keys, answers and time come in as events. */
export interface WatchState {
  /** Open requests, nearest deadline first. */
  readonly approvals: readonly ApprovalView[];
  /** Whether the list was read at all. */
  readonly isRead: boolean;
  /** When the list was read, on the clock of `at`. */
  readonly readAt: number;
  /** By id, so that a list that changes moves no other request under the cursor. */
  readonly selected: string | null;
  readonly page: Page;
  readonly note: { readonly kind: 'good' | 'bad'; readonly text: string } | null;
  /** Since when the connection is lost; null: it stands. */
  readonly lostAt: number | null;
  readonly isConnected: boolean;
}

type Page =
  | { readonly kind: 'list' }
  | {
      /** One request; with `decision` the person is about to decide it. */
      readonly kind: 'request';
      readonly id: string;
      readonly view: ApprovalView | null;
      readonly readAt: number;
      readonly scroll: number;
      readonly decision: Decision | null;
    };

interface Decision {
  readonly verdict: 'approve' | 'deny';
  readonly reason: string;
  readonly openedAt: number;
  readonly isSent: boolean;
}

export type WatchEvent =
  | { readonly type: 'key'; readonly name: string; readonly text: string; readonly at: number }
  | { readonly type: 'listed'; readonly approvals: readonly ApprovalView[]; readonly at: number }
  | { readonly type: 'shown'; readonly view: ApprovalView; readonly at: number }
  | { readonly type: 'connection'; readonly isUp: boolean; readonly at: number }
  | { readonly type: 'unreachable'; readonly at: number }
  | { readonly type: 'decided'; readonly id: string; readonly text: string }
  | { readonly type: 'failed'; readonly text: string };

export type Effect =
  | { readonly type: 'quit' }
  | { readonly type: 'refresh' }
  | { readonly type: 'show'; readonly id: string }
  | {
      readonly type: 'decide';
      readonly id: string;
      readonly verdict: 'approve' | 'deny';
      readonly reason: string;
    };

export interface Step {
  readonly state: WatchState;
  readonly effect?: Effect;
}

export const initialWatch: WatchState = {
  approvals: [],
  isRead: false,
  readAt: 0,
  selected: null,
  page: { kind: 'list' },
  note: null,
  lostAt: null,
  isConnected: false,
};

/** Keys that arrive with the one that opened the question were typed, or pasted, before it was seen. */
const unseenMs = 300;
const longestReason = 2_000;

export function step(state: WatchState, event: WatchEvent): Step {
  switch (event.type) {
    case 'listed':
      return { state: listed(state, event) };
    case 'shown':
      return { state: shown(state, event) };
    case 'unreachable':
      return { state: { ...state, lostAt: state.lostAt ?? event.at } };
    case 'connection':
      return connection(state, event);
    case 'decided':
      return {
        state: { ...state, page: { kind: 'list' }, note: { kind: 'good', text: event.text } },
        effect: { type: 'refresh' },
      };
    case 'failed':
      return failure(state, event.text);
    case 'key':
      return key({ ...state, note: null }, event);
  }
}

function listed(
  state: WatchState,
  { approvals, at }: { approvals: readonly ApprovalView[]; at: number },
): WatchState {
  const before = state.approvals.findIndex(({ id }) => id === state.selected);
  const stands = approvals.some(({ id }) => id === state.selected);
  const next = stands
    ? state.selected
    : (approvals[Math.min(Math.max(before, 0), approvals.length - 1)]?.id ?? null);
  return {
    ...state,
    approvals,
    isRead: true,
    readAt: at,
    selected: next,
    lostAt: state.isConnected ? null : state.lostAt,
  };
}

function shown(state: WatchState, { view, at }: { view: ApprovalView; at: number }): WatchState {
  const { page } = state;
  if (page.kind !== 'request' || page.id !== view.id) return state;
  const isOpen = view.status === 'pending' || view.status === 'escalated';
  const decision =
    page.decision !== null && (page.decision.isSent || (isOpen && view.can_decide !== false))
      ? page.decision
      : null;
  const why = isOpen ? (view.cannot_decide_reason?.text ?? 'you cannot decide it') : `it is ${view.status}`;
  const note =
    page.decision !== null && decision === null
      ? ({ kind: 'bad', text: `No decision is asked for any longer: ${why}.` } as const)
      : state.note;
  return { ...state, page: { ...page, view, readAt: at, decision }, note };
}

function connection(state: WatchState, { isUp, at }: { isUp: boolean; at: number }): Step {
  if (!isUp) return { state: { ...state, isConnected: false, lostAt: state.lostAt ?? at } };
  // Events may have been missed.
  return { state: { ...state, isConnected: true, lostAt: null }, effect: { type: 'refresh' } };
}

/** A decision that was sent and failed can be sent again, or left. */
function failure(state: WatchState, text: string): Step {
  const { page } = state;
  const note = { kind: 'bad', text } as const;
  if (page.kind !== 'request') return { state: { ...state, note } };
  return {
    state: { ...state, note, page: { ...page, decision: null } },
    effect: { type: 'show', id: page.id },
  };
}

function key(state: WatchState, pressed: { name: string; text: string; at: number }): Step {
  if (pressed.name === 'ctrl+c') return { state, effect: { type: 'quit' } };
  const { page } = state;
  if (page.kind === 'list') return keyInList(state, pressed);
  if (page.decision === null) return keyInRequest(state, page, pressed);
  return keyInDecision(state, page, page.decision, pressed);
}

function keyInList(state: WatchState, { name, at }: { name: string; at: number }): Step {
  const at0 = state.approvals.findIndex(({ id }) => id === state.selected);
  const select = (place: number): Step => {
    const last = state.approvals.length - 1;
    return { state: { ...state, selected: state.approvals[Math.min(Math.max(place, 0), last)]?.id ?? null } };
  };
  switch (name) {
    case 'q':
    case 'escape':
      return { state, effect: { type: 'quit' } };
    case 'up':
    case 'k':
      return select(at0 - 1);
    case 'down':
    case 'j':
      return select(at0 + 1);
    case 'pageup':
      return select(at0 - 10);
    case 'pagedown':
      return select(at0 + 10);
    case 'home':
    case 'g':
      return select(0);
    case 'end':
    case 'G':
      return select(state.approvals.length - 1);
    case 'r':
      return { state, effect: { type: 'refresh' } };
    case 'return':
      return opened(state, null);
    case 'a':
      return opened(state, { verdict: 'approve', reason: '', openedAt: at, isSent: false });
    case 'd':
      return opened(state, { verdict: 'deny', reason: '', openedAt: at, isSent: false });
    default:
      return { state };
  }
}

function opened(state: WatchState, decision: Decision | null): Step {
  const found = state.approvals.find(({ id }) => id === state.selected);
  if (found === undefined) return { state };
  const may = decision === null || found.can_decide !== false;
  const page: Page = {
    kind: 'request',
    id: found.id,
    view: null,
    readAt: state.readAt,
    scroll: 0,
    decision: may ? decision : null,
  };
  const note = may ? null : ({ kind: 'bad', text: cannotText(found) } as const);
  return { state: { ...state, page, note }, effect: { type: 'show', id: found.id } };
}

const cannotText = ({ cannot_decide_reason }: ApprovalView) =>
  `You cannot decide it: ${cannot_decide_reason?.text ?? 'the system does not say why'}.`;

type RequestPage = Extract<Page, { kind: 'request' }>;

function keyInRequest(
  state: WatchState,
  page: RequestPage,
  { name, at }: { name: string; at: number },
): Step {
  const scrolled = (by: number): Step => ({
    state: { ...state, page: { ...page, scroll: Math.max(0, page.scroll + by) } },
  });
  const decide = (verdict: Decision['verdict']): Step => {
    const { view } = page;
    if (view === null) return { state };
    if (view.can_decide === false)
      return { state: { ...state, note: { kind: 'bad', text: cannotText(view) } } };
    return {
      state: { ...state, page: { ...page, decision: { verdict, reason: '', openedAt: at, isSent: false } } },
    };
  };
  switch (name) {
    case 'q':
    case 'escape':
    case 'left':
    case 'backspace':
      return { state: { ...state, page: { kind: 'list' } }, effect: { type: 'refresh' } };
    case 'up':
    case 'k':
      return scrolled(-1);
    case 'down':
    case 'j':
      return scrolled(1);
    case 'pageup':
      return scrolled(-10);
    case 'pagedown':
    case 'space':
      return scrolled(10);
    case 'a':
      return decide('approve');
    case 'd':
      return decide('deny');
    case 'r':
      return { state, effect: { type: 'show', id: page.id } };
    default:
      return { state };
  }
}

function keyInDecision(
  state: WatchState,
  page: RequestPage,
  decision: Decision,
  { name, text, at }: { name: string; text: string; at: number },
): Step {
  // The answer of the system is waited for.
  if (decision.isSent) return { state };
  const now = (change: Partial<Decision>): WatchState => ({
    ...state,
    page: { ...page, decision: { ...decision, ...change } },
  });
  switch (name) {
    case 'escape':
      return { state: { ...state, page: { ...page, decision: null } } };
    case 'backspace':
      return { state: now({ reason: [...decision.reason].slice(0, -1).join('') }) };
    case 'ctrl+u':
      return { state: now({ reason: '' }) };
    case 'up':
    case 'pageup':
    case 'down':
    case 'pagedown': {
      const by = { up: -1, pageup: -10, down: 1, pagedown: 10 }[name];
      return { state: { ...state, page: { ...page, scroll: Math.max(0, page.scroll + by) } } };
    }
    case 'return': {
      // Who decides has seen what it is about.
      if (page.view === null || at - decision.openedAt < unseenMs) return { state };
      const { verdict, reason } = decision;
      return {
        state: now({ isSent: true }),
        effect: { type: 'decide', id: page.id, verdict, reason: reason.trim() },
      };
    }
    default:
      if (at - decision.openedAt < unseenMs && text.length > 0 && decision.reason === '') return { state };
      return text === '' || decision.reason.length >= longestReason
        ? { state }
        : { state: now({ reason: decision.reason + text }) };
  }
}
