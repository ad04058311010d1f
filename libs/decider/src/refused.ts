/** One offending member of a request, by JSON pointer (RFC 6901). */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

export interface RefusalDetails {
  readonly errors?: readonly Fault[];
  /** Further members of the answer besides the code, such as the standing decision. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An expected refusal with a stable code from a closed union. Any other error is a bug. */
export class Refused<Code extends string = string> extends Error {
  override readonly name = 'Refused';
  readonly errors: readonly Fault[] | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;

  constructor(
    readonly code: Code,
    readonly detail: string,
    { errors, extra }: RefusalDetails = {},
  ) {
    super(`${code}: ${detail}`);
    this.errors = errors;
    this.extra = extra;
  }
}
