/** What `al` tells the shell (contract §5). A command that was run passes its own code on. */
export const exitCode = {
  ok: 0,
  /** Denied, no policy matches, or the system refused what was asked. */
  refused: 1,
  timeout: 2,
  /** How it was called or set up: an option, a key, a right. */
  usage: 3,
  unreachable: 4,
  /** As shells say it for a command that cannot be run or found. */
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
