import nodemailer, { type Transporter } from 'nodemailer';

/** Connections to the operator's SMTP server; undefined without one. */
export const smtpTransport = (
  smtpUrl: string | undefined,
  maxConnections: number,
): Transporter | undefined =>
  smtpUrl === undefined
    ? undefined
    : nodemailer.createTransport({
        url: smtpUrl,
        pool: true,
        maxConnections,
        connectionTimeout: 10_000,
        greetingTimeout: 10_000,
        socketTimeout: 15_000,
        disableFileAccess: true,
        disableUrlAccess: true,
      });

/** The server may still accept a mail after this time; then it comes twice with the same Message-ID. */
export function within<T>(work: Promise<T>, timeoutMs: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error('the mail server did not answer in time'));
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
  });
}
