import type { ParsedMail } from 'mailparser';
import type { AddressInfo } from 'node:net';

/** A real SMTP server that accepts mails and keeps them parsed. */
export interface MailServer {
  readonly url: string;
  readonly mails: { readonly to: readonly string[]; readonly mail: ParsedMail }[];
  /** The codes that refuse the next mails. */
  readonly refusals: number[];
  stop(): Promise<void>;
}

export async function mailServer(): Promise<MailServer> {
  // Loaded only when needed: every test file that starts a server loads this one.
  const [{ simpleParser }, { SMTPServer }] = await Promise.all([import('mailparser'), import('smtp-server')]);
  const mails: MailServer['mails'] = [];
  const refusals: number[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: (_address, _session, done) => {
      const responseCode = refusals.shift();
      if (responseCode === undefined) done();
      else done(Object.assign(new Error('not now'), { responseCode }));
    },
    onData: (stream, session, done) => {
      simpleParser(stream).then((mail) => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), mail });
        done();
      }, done);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${String(port)}`,
    mails,
    refusals,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
