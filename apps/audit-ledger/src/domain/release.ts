import { leafHash } from '@agentlattice/ledger';

/** A log that has fewer entries than were signed. */
export interface LostTail {
  readonly orgId: string;
  /** The newest checkpoint outside of the database; its root in base64. */
  readonly signed: { readonly size: number; readonly root: string };
  /** What the database holds; 0 when the log is gone. */
  readonly size: number;
}

/** What an operator says: this loss is known, and the logs go on without the entries. */
export interface ReleaseOrder {
  /** The `releaseCode` of the loss that is meant. */
  readonly code: string;
  readonly reason: string;
}

/** A release as it is kept outside of the database. */
export interface Release extends LostTail {
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
}

/** Names one loss: an order for it releases no other one, and none that comes later. */
export function releaseCode(lost: readonly LostTail[]): string {
  const lines = lost.map(
    ({ orgId, signed, size }) => `${orgId} ${String(signed.size)} ${signed.root} ${String(size)}\n`,
  );
  return leafHash(Buffer.from(lines.sort().join('')))
    .toString('hex')
    .slice(0, 16);
}

/** The loss in a sentence, with what an operator can do. */
export function lossText(lost: readonly LostTail[]): string {
  const [first] = lost;
  if (first === undefined) throw new Error('nothing is lost');
  const { orgId, signed, size } = first;
  const others = lost.length === 1 ? '' : `, and ${String(lost.length - 1)} further logs are shorter as well`;
  return (
    `the log of ${orgId} has ${String(size)} entries, ${String(signed.size)} were signed${others}: was a backup restored? ` +
    `To go on without the lost entries set LEDGER_RELEASE=${releaseCode(lost)}:<reason> (docs/operations/backup.md)`
  );
}
