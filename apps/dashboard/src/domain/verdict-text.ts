interface Verification {
  readonly chain_valid: boolean;
  readonly verified_through_row: number;
  readonly first_broken_at_seq: number | null;
  readonly reason: string | null;
  readonly verified_from_checkpoint: boolean;
}

export interface VerdictText {
  readonly isIntact: boolean;
  readonly title: string;
  readonly detail: string;
}

/** The result of a check in words. */
export function verdictText(verification: Verification): VerdictText {
  const { chain_valid, verified_through_row, first_broken_at_seq, reason, verified_from_checkpoint } =
    verification;
  const count = verified_through_row.toLocaleString('en-US');
  if (chain_valid)
    return {
      isIntact: true,
      title: verified_through_row === 0 ? 'The log is empty' : 'The log is intact',
      detail: `${count} ${verified_through_row === 1 ? 'entry' : 'entries'} checked, each with its hash and its place${
        verified_from_checkpoint ? ', since the last full check' : ', from the first one'
      }.`,
    };
  return {
    isIntact: false,
    title:
      first_broken_at_seq === null
        ? 'The log is not intact'
        : `The log is not intact from entry ${first_broken_at_seq.toLocaleString('en-US')} on`,
    detail: reason ?? 'What the database holds is not what was signed.',
  };
}
