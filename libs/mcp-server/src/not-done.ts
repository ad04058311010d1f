/** A tool did nothing, for a reason that the reader can act on. */
export class NotDone extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
