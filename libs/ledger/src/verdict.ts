import type { PrivateField } from './entry.js';

/** The faults of a log; stable names for programs. SPEC.md says what each means. */
export const faultCodes = [
  'malformed',
  'edited',
  'chain_broken',
  'sequence_gap',
  'reordered',
  'inserted',
  'foreign_log',
  'source_gap',
  'commitment_mismatch',
  'truncated',
  'root_mismatch',
  'bad_checkpoint',
  'bad_signature',
] as const;
export type FaultCode = (typeof faultCodes)[number];

export interface Fault {
  readonly ok: false;
  readonly code: FaultCode;
  /** 0-based position of the first bad entry; null when the checkpoint itself is wrong. */
  readonly at: number | null;
  /**
   * Set with `root_mismatch`: the first entry that no older checkpoint confirms; the rewritten entries are in `since..at`.
   */
  readonly since?: number;
  readonly detail: string;
}

export interface Sound {
  readonly ok: true;
  readonly log: string | null;
  readonly size: number;
  /** Root of all entries, lower-case hex. */
  readonly root: string;
  /** Leaf hash of the last entry, 64 zeros for an empty log. */
  readonly lastHash: string;
  /** How many entries the newest checkpoint confirms; 0 without one. */
  readonly vouched: number;
}

export type Verdict = Sound | Fault;

/** Disclosed content of one entry: for each private field the salt (hex) and the RFC 8785 text of the value. */
export type Disclosed = Readonly<
  Partial<Record<PrivateField, { readonly salt: string; readonly value: string }>>
>;
