interface Counted {
  readonly approvals: readonly unknown[];
  readonly next_cursor: string | null;
  readonly total?: number | null | undefined;
}

/** How many requests an answer stands for: the total, or what was counted when the server gave none. */
export function countText({ approvals, next_cursor, total }: Counted): string {
  if (total !== undefined && total !== null) return total.toLocaleString('en-US');
  const here = approvals.length.toLocaleString('en-US');
  return next_cursor === null ? here : `more than ${here}`;
}
