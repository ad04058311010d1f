/** The exit codes of `al` (contract §5). A command that was run passes its own code on. */
export const exitCode = {
  ok: 0,
  /** Denied, no matching policy, or refused by the system. */
  refused: 1,
  timeout: 2,
  /** A fault of the call or the set-up: an option, a key, a right. */
  usage: 3,
  unreachable: 4,
  /** As in shells, for a command that cannot be run or found. */
  notExecutable: 126,
  notFound: 127,
} as const;

/** The program ends with this; the message says what is wrong and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly exitCode: number,
    message: string,
    /** The error code of the API, where there is one. */
    readonly code: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const unknownAnswer = (status: number): Failure =>
  new Failure(
    exitCode.unreachable,
    `The answer (HTTP ${String(status)}) is not one this version of al knows; is AL_BASE_URL right, and al as new as the system?`,
  );
