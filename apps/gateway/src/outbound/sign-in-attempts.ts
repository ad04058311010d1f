import { hash } from 'node:crypto';
import { inTransaction, type Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import {
  type AttemptKind,
  attemptKinds,
  type Attempts,
  decideAttempt,
  forgetAfterMs,
  networkOf,
  triedAddress,
} from '../domain/sign-in-throttle.js';

/** Who tries: the account by its address of mail, and the network address. */
export interface Trier {
  readonly email: string;
  readonly address: string;
}

interface Row {
  readonly kind: AttemptKind;
  readonly failures: number;
  readonly last_at: Date;
  readonly now: Date;
}

const none: Attempts = { failures: 0, lastAt: 0 };

/** The failed sign-ins in the database, which all gateways share; by its clock. */
export class SignInAttempts {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Counts a try as failed before the password is checked.
   * @returns how long the person must wait; 0: the try may be made
   */
  reserve(trier: Trier): Promise<number> {
    return inTransaction(this.pool, async (tx) => {
      const subjects = subjectsOf(trier);
      const values = [attemptKinds, attemptKinds.map((kind) => subjects[kind])];
      await tx.query(
        `INSERT INTO sign_in_attempt (kind, subject, failures, last_at)
         SELECT kind, subject, 0, 'epoch' FROM unnest($1::text[], $2::bytea[]) AS k (kind, subject)
         ON CONFLICT DO NOTHING`,
        values,
      );
      // Ordered, so that two tries never wait for each other in a circle.
      const { rows } = await tx.query<Row>(
        `SELECT a.kind, a.failures, a.last_at, clock_timestamp() AS now
           FROM sign_in_attempt a JOIN unnest($1::text[], $2::bytea[]) AS k (kind, subject) USING (kind, subject)
          ORDER BY a.kind FOR UPDATE OF a`,
        values,
      );
      const of = (kind: AttemptKind): Attempts => {
        const row = rows.find((one) => one.kind === kind);
        return row === undefined ? none : { failures: row.failures, lastAt: row.last_at.getTime() };
      };
      // The time after the locks: the later of the two readings.
      const now = Math.max(...rows.map((row) => row.now.getTime()));
      const { waitMs, next } = decideAttempt({ account: of('account'), address: of('address') }, now);
      if (waitMs > 0) return waitMs;
      for (const kind of attemptKinds)
        await tx.query(
          `UPDATE sign_in_attempt SET failures = $3, last_at = $4 WHERE kind = $1 AND subject = $2`,
          [kind, subjects[kind], next[kind].failures, new Date(next[kind].lastAt)],
        );
      return 0;
    });
  }

  /** The try succeeded: the account has no failures any more, and this one does not count for the network address. */
  async succeeded(tx: Tx, trier: Trier): Promise<void> {
    const subjects = subjectsOf(trier);
    await tx.query(
      `UPDATE sign_in_attempt SET failures = CASE kind WHEN 'account' THEN 0 ELSE greatest(failures - 1, 0) END
        WHERE (kind, subject) IN (SELECT kind, subject FROM sign_in_attempt
                                   WHERE (kind = 'account' AND subject = $1) OR (kind = 'address' AND subject = $2)
                                   ORDER BY kind FOR UPDATE)`,
      [subjects.account, subjects.address],
    );
  }

  /** Deletes what no longer counts. */
  async forget(): Promise<void> {
    await this.pool.query(
      `DELETE FROM sign_in_attempt WHERE last_at < clock_timestamp() - $1 * interval '1 millisecond'`,
      [forgetAfterMs],
    );
  }
}

function subjectsOf({ email, address }: Trier): Readonly<Record<AttemptKind, Buffer>> {
  return {
    account: hash('sha256', triedAddress(email), 'buffer'),
    address: hash('sha256', networkOf(address), 'buffer'),
  };
}
