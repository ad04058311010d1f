import type pg from 'pg';
import {
  findSuspectsAfter,
  findSuspectsAmong,
  type RequestRef,
  type UndecidableSuspect,
} from '../outbound/undecidable-suspects.js';
import type { EndUndecidable } from './end-undecidable.js';

export interface UndecidableSweepPorts {
  readonly pool: pg.Pool;
  readonly endUndecidable: EndUndecidable;
  /** How often all open requests are checked; default 30 s. */
  readonly everyMs?: number;
}

const pageSize = 500;

/**
 * Finds requests that no member can decide (decisions §4.5): in each run among requests that another policy now governs, and
 * from time to time among all open ones, because it may have been unknown at their opening.
 */
export class UndecidableSweep {
  private readonly noted = new Map<string, RequestRef>();
  private allAgainAt = 0;

  constructor(private readonly ports: UndecidableSweepPorts) {}

  /** The requests for the next run. */
  note(requests: readonly RequestRef[]): void {
    for (const request of requests) this.noted.set(`${request.org_id}/${request.approval_id}`, request);
  }

  async run(): Promise<void> {
    const { pool, everyMs = 30_000 } = this.ports;
    while (this.noted.size > 0) {
      const some = [...this.noted].slice(0, pageSize);
      await this.end(
        await findSuspectsAmong(
          pool,
          some.map(([, request]) => request),
        ),
      );
      for (const [key] of some) this.noted.delete(key);
    }
    if (performance.now() < this.allAgainAt) return;
    let last: UndecidableSuspect | undefined;
    do {
      const page: UndecidableSuspect[] = await findSuspectsAfter(pool, last, pageSize);
      await this.end(page);
      last = page.length < pageSize ? undefined : page.at(-1);
    } while (last !== undefined);
    this.allAgainAt = performance.now() + everyMs;
  }

  private async end(suspects: readonly UndecidableSuspect[]): Promise<void> {
    await this.ports.endUndecidable(
      suspects.flatMap(({ org_id, approval_id, traceparent, terms, created_at, opened }) =>
        opened === null
          ? []
          : {
              item: { org_id, approval_id, traceparent },
              state: {
                terms,
                requestedAt: created_at.toISOString(),
                subject: { agent: opened.agent },
                askedWithKey: opened.asked_with_key ?? null,
              },
            },
      ),
    );
  }
}
