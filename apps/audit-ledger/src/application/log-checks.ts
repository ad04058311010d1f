import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { auditLedgerCommands, CommandResponse } from '@agentlattice/contracts';
import { createVerifier, type Disclosed, leafHash, type Verdict } from '@agentlattice/ledger';
import type pg from 'pg';
import type { CheckpointArchive } from '../outbound/checkpoint-archive.js';
import type { CheckpointStore, DurableEnd } from '../outbound/checkpoint-store.js';
import type { CheckpointKeys } from '../domain/checkpoint-keys.js';
import { parseDisclosed } from '../domain/commitments.js';
import { logSize } from '../read/read-entries.js';
import { entryIdAt, readLogRows } from '../read/log-rows.js';
import { type PaceClock, PacedRuns } from './paced-runs.js';

type Verification = CommandResponse<typeof auditLedgerCommands.verify>;

export interface VerifyPorts {
  readonly pool: pg.Pool;
  readonly checkpoints: CheckpointStore;
  readonly archive: CheckpointArchive;
  readonly keys: Pick<CheckpointKeys, 'trusted'>;
  readonly now: () => number;
  /** How long a caller waits for the running check; default 8 s, and 60 s with `patient`. */
  readonly consumptionWaitMs?: number;
  /** How long a caller of `last` waits; default 1 s. */
  readonly lastResultWithinMs?: number;
  /** Paces the checks; default the process's own. */
  readonly clock?: PaceClock;
}

/** Rows in a step; between two steps other work of the process runs. */
const step = 250;
/** Older checkpoints narrow down where a log was rewritten. */
const olderCheckpoints = 32;
const waitMs = { impatient: 1_000, ordinary: 8_000, patient: 60_000 };
/** A result that is not older than this is returned without a new check. */
const freshMs = 10 * 60_000;

/** A waiting check does not keep the process alive. */
const ownClock: PaceClock = {
  now: () => performance.now(),
  after: (ms) => sleep(ms, undefined, { ref: false }),
};

/**
 * Checks whole logs from their first row, in the background. One check at a time, with a pause after each: checks take at
 * most a quarter of the time, however often they are requested.
 */
export class LogChecks {
  private readonly runs: PacedRuns<Verification>;
  private readonly finished = new Map<string, Verification>();
  /** The progress of the running check. */
  private progress: { readonly orgId: string; readonly checked: number } | null = null;

  constructor(private readonly ports: VerifyPorts) {
    this.runs = new PacedRuns((orgId) => this.run(orgId), ports.clock ?? ownClock);
  }

  /**
   * The result of a check that begins after this call, if it ends in time; otherwise the last result, or the progress of the
   * running check.
   */
  async verify(orgId: string, patient: boolean): Promise<Verification> {
    await logSize(this.ports.pool, orgId);
    const limit = patient ? waitMs.patient : (this.ports.consumptionWaitMs ?? waitMs.ordinary);
    const result = await atMost(limit, this.runs.next(orgId));
    return result ?? { ...(this.finished.get(orgId) ?? this.soFar(orgId)), complete: false };
  }

  /** The last result, or the progress of the first check; null without a log. If the result is old, a new check begins. */
  async last(orgId: string): Promise<(Verification & { readonly size: number }) | null> {
    const last = this.finished.get(orgId);
    if (last !== undefined && this.ports.now() - Date.parse(last.timestamp) < freshMs)
      return { ...last, size: last.verified_through_row };
    const end = await this.ports.checkpoints.end(orgId);
    if (end === null) return null;
    const run = this.runs.nearest(orgId);
    const known = last ?? (await atMost(this.ports.lastResultWithinMs ?? waitMs.impatient, run));
    return known === null
      ? { ...this.soFar(orgId), complete: false, size: end.tree.size }
      : { ...known, size: known.verified_through_row };
  }

  private soFar(orgId: string): Verification {
    const checked = this.progress?.orgId === orgId ? this.progress.checked : 0;
    return sound(orgId, checked, null, this.ports.now());
  }

  private async run(orgId: string): Promise<Verification> {
    try {
      const result = await this.check(orgId, (checked) => (this.progress = { orgId, checked }));
      this.finished.set(orgId, result);
      return result;
    } finally {
      this.progress = null;
    }
  }

  private async check(orgId: string, checked: (n: number) => void): Promise<Verification> {
    const { pool, checkpoints, archive, keys, now } = this.ports;
    const end = await checkpoints.end(orgId);
    if (end === null) return broken(orgId, { at: 0, id: null, reason: 'the log is gone' }, now());
    const notes = (await checkpoints.newest(orgId, olderCheckpoints)).map(({ note }) => note);
    const archived = (await archive.newest()).get(orgId);
    if (archived !== undefined && !notes.includes(archived)) notes.push(archived);
    const contents = new Map<string, Disclosed>();
    const verifier = createVerifier({
      log: end.origin,
      sizes: notes.map(sizeOf),
      disclosed: (id) => contents.get(id),
    });
    let seq = 0;
    let suspect: { at: number; id: string; reason: string } | null = null;
    while (seq < end.tree.size) {
      const rows = await readLogRows(pool, { orgId, from: seq, end: end.tree.size, limit: step });
      contents.clear();
      for (const { id, content } of rows) if (content !== null) contents.set(id, disclosedOf(content));
      for (const { id, bytes, leaf_hash } of rows) {
        if (!leafHash(bytes).equals(leaf_hash))
          suspect ??= { at: seq, id, reason: 'edited: stored hash and bytes differ' };
        verifier.push(bytes);
        seq++;
      }
      checked(seq);
      if (rows.length < step) break;
      await turn();
    }
    const trusted = keys.trusted(end.origin);
    const verdict = verifier.finish(notes.length === 0 ? undefined : { checkpoints: notes, trusted });
    const fault = firstFault(verdict, end, seq);
    if (fault === null && suspect === null) return sound(orgId, seq, verdict.ok ? verdict : null, now());
    if (suspect !== null && (fault === null || suspect.at <= fault.at)) return broken(orgId, suspect, now());
    const at = fault?.at ?? 0;
    return broken(orgId, { at, id: await entryIdAt(pool, orgId, at), reason: fault?.reason ?? '' }, now());
  }
}

/** The verifier's verdict, and the faults that only the head of the log shows: a missing or different end. */
function firstFault(verdict: Verdict, end: DurableEnd, count: number): { at: number; reason: string } | null {
  if (!verdict.ok) return { at: verdict.at ?? 0, reason: `${verdict.code}: ${verdict.detail}` };
  if (count < end.tree.size)
    return { at: count, reason: `truncated: the head says ${String(end.tree.size)} entries` };
  return null;
}

/** Null when it takes longer. */
async function atMost<T>(ms: number, result: Promise<T>): Promise<T | null> {
  const stop = new AbortController();
  const late = sleep(ms, null, { signal: stop.signal }).catch(() => null);
  return await Promise.race([result, late]).finally(() => stop.abort());
}

const sizeOf = (note: string) => Number(note.split('\n')[1] ?? 0);

/** An unreadable row gets values that match no commitment. */
function disclosedOf(content: string): Disclosed {
  try {
    return parseDisclosed(content);
  } catch {
    return { metadata: { salt: '', value: '' } };
  }
}

const sound = (orgId: string, checked: number, verdict: Verdict | null, now: number): Verification => ({
  org_id: orgId,
  chain_valid: true,
  verified_through_row: checked,
  chain_hash: verdict?.ok === true ? verdict.lastHash : null,
  first_broken_at_row_id: null,
  first_broken_at_seq: null,
  reason: null,
  verified_from_checkpoint: verdict?.ok === true && verdict.vouched > 0,
  complete: true,
  timestamp: new Date(now).toISOString(),
});

const broken = (
  orgId: string,
  { at, id, reason }: { at: number; id: string | null; reason: string },
  now: number,
): Verification => ({
  ...sound(orgId, at, null, now),
  chain_valid: false,
  first_broken_at_row_id: id,
  first_broken_at_seq: at,
  reason,
});
