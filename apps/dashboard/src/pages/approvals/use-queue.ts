import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type ApprovalFilter, approvalKey, getApproval } from '../../api/approvals.js';
import type { Approval } from '../../api/types.js';
import type { Outcome } from '../../domain/decision-outcome.js';
import { byDeadline, departed, heldBack } from '../../domain/queue.js';
import { endedOf, isOpen } from '../../requests/use-decision.js';
import type { Hand } from './use-hand.js';
import { waitingQuery } from './waiting-query.js';

const receiptMs = 8_000;

export interface Row {
  readonly approval: Approval;
  /** What became of it; null while it waits. */
  readonly outcome: Outcome | null;
  readonly isLeaving: boolean;
}

interface Receipt {
  readonly approval: Approval;
  readonly outcome: Outcome;
}

/**
 * The waiting requests as they are shown: in the order of their deadlines, new ones held back while the hand is in the list, ended
 * ones as receipts in their place.
 */
export function useQueue(filter: ApprovalFilter, hand: Hand) {
  const queries = useQueryClient();
  const query = useInfiniteQuery(waitingQuery(filter));
  const { data, hasNextPage } = query;
  const incoming = useMemo(
    () => [...new Map(data?.pages.flatMap(({ approvals }) => approvals).map((a) => [a.id, a])).values()],
    [data],
  );
  const [shown, setShown] = useState<ReadonlyMap<string, Approval> | null>(null);
  const [held, setHeld] = useState<readonly Approval[]>([]);
  const [receipts, setReceipts] = useState<ReadonlyMap<string, Receipt>>(new Map());
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());

  const filterText = JSON.stringify(filter);
  useEffect(() => {
    setShown(null);
    setHeld([]);
    setReceipts(new Map());
    setLeaving(new Set());
  }, [filterText]);

  const addReceipt = useCallback((approval: Approval, outcome: Outcome) => {
    setReceipts((before) => new Map(before).set(approval.id, { approval, outcome }));
  }, []);

  // Takes over what the server answered, as far as it does not move what the hand is on.
  const take = useCallback(
    (force: boolean) => {
      if (data === undefined) return;
      setShown((before) => {
        const anchor = before === null || force ? null : hand.anchorIn([...before.values()]);
        const wait = before === null ? [] : heldBack(new Set(before.keys()), incoming, anchor);
        const waiting = new Set(wait.map(({ id }) => id));
        setHeld((now) => (now.length === 0 && wait.length === 0 ? now : wait));
        const next = new Map(incoming.filter(({ id }) => !waiting.has(id)).map((a) => [a.id, a]));
        for (const gone of departed(
          [...(before ?? new Map<string, Approval>()).values()],
          incoming,
          hasNextPage,
        ))
          next.set(gone.id, gone);
        return next;
      });
    },
    [data, incoming, hasNextPage, hand],
  );
  useEffect(() => take(false), [take]);
  useEffect(() => {
    if (held.length === 0) return;
    const timer = setInterval(() => take(false), 500);
    return () => clearInterval(timer);
  }, [held.length, take]);

  // What left the answer ended, or no longer matches: its own answer tells.
  const asked = useRef(new Set<string>());
  const latest = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    latest.current = new Set(incoming.map(({ id }) => id));
  }, [incoming]);
  useEffect(() => {
    // The answer of another filter is still to come: nothing has left.
    if (shown === null || data === undefined) return;
    const drop = (id: string) => {
      if (!latest.current.has(id)) setShown((now) => without(now, id));
    };
    for (const gone of departed([...shown.values()], incoming, hasNextPage)) {
      if (receipts.has(gone.id) || asked.current.has(gone.id)) continue;
      asked.current.add(gone.id);
      setLeaving((now) => new Set(now).add(gone.id));
      queries
        .fetchQuery({ queryKey: approvalKey(gone.id), queryFn: () => getApproval(gone.id), staleTime: 0 })
        .then(
          (now) => {
            if (isOpen(now)) drop(gone.id);
            // What one's own decision led to says more, and may have come first.
            else
              setReceipts((before) =>
                before.has(now.id)
                  ? before
                  : new Map(before).set(now.id, {
                      approval: now,
                      outcome: { kind: 'ended', ended: endedOf(now) },
                    }),
              );
          },
          () => drop(gone.id),
        )
        .finally(() => {
          asked.current.delete(gone.id);
          setLeaving((now) => new Set([...now].filter((id) => id !== gone.id)));
        });
    }
  }, [shown, data, incoming, hasNextPage, receipts, queries]);

  // A receipt closes after eight seconds, when neither the pointer nor the focus is on it.
  useEffect(() => {
    const timers = [...receipts].map(([id, { outcome }]) => {
      const close = () => {
        if (hand.isOnReceipt(id)) return void (timer.id = setTimeout(close, 1_000));
        // After a vote that does not decide, the request goes on waiting.
        if (outcome.kind !== 'vote_recorded') setShown((now) => without(now, id));
        setReceipts((now) => new Map([...now].filter(([other]) => other !== id)));
      };
      const timer = { id: setTimeout(close, receiptMs) };
      return timer;
    });
    return () => timers.forEach(({ id }) => clearTimeout(id));
  }, [receipts, hand]);

  const rows = useMemo<readonly Row[]>(() => {
    const all = new Map<string, Approval>(shown ?? []);
    for (const [id, { approval }] of receipts) all.set(id, approval);
    return [...all.values()].sort(byDeadline).map((approval) => ({
      approval,
      outcome: receipts.get(approval.id)?.outcome ?? null,
      isLeaving: leaving.has(approval.id),
    }));
  }, [shown, receipts, leaving]);

  const [first] = data?.pages ?? [];
  return {
    query,
    rows,
    held,
    showHeld: useCallback(() => take(true), [take]),
    addReceipt,
    total: first?.total ?? incoming.length,
    hidden: first?.hidden ?? 0,
    counts: first?.counts ?? undefined,
  };
}

function without<V>(map: ReadonlyMap<string, V> | null, id: string): ReadonlyMap<string, V> | null {
  return map?.has(id) === true ? new Map([...map].filter(([other]) => other !== id)) : map;
}
