import { createHmac, timingSafeEqual } from 'node:crypto';
import { sessionCookieName } from '@agentlattice/contracts';
import type { GatewayReply, GatewayRequest } from './http-request.js';

const tokenForm = /^al_ses_[A-Za-z0-9_-]{43}$/;
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** The token of the session cookie; undefined without one, and where several were sent. */
export function sessionTokenOf({ headers }: Pick<GatewayRequest, 'headers'>): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookieName}=`))
    .map((pair) => pair.slice(sessionCookieName.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && tokenForm.test(value) ? value : undefined;
}

export function setSessionCookie(reply: GatewayReply, token: string, endsAt: number, now: number): void {
  const seconds = Math.max(0, Math.floor((endsAt - now) / 1_000));
  reply.header('set-cookie', `${sessionCookieName}=${token}; Max-Age=${String(seconds)}; ${attributes}`);
}

export function clearSessionCookie(reply: GatewayReply): void {
  reply.header('set-cookie', `${sessionCookieName}=; Max-Age=0; ${attributes}`);
}

/** Follows from the session's token alone, so only pages that the gateway told it know it, and each session has another. */
export const csrfTokenOf = (token: string): string =>
  createHmac('sha256', token).update('csrf').digest('base64url');

export function isCsrfTokenOf(token: string, sent: unknown): boolean {
  const own = Buffer.from(csrfTokenOf(token));
  const given = Buffer.from(typeof sent === 'string' ? sent : '');
  return own.length === given.length && timingSafeEqual(own, given);
}
