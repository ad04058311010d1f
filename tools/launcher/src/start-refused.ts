/** The start failed for a known reason; the message is one sentence for the person at the terminal, who needs no stack trace. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}
