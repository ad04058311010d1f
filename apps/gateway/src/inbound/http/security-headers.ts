import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const noFeatures = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ');

/**
 * The headers of every answer. An answer is not stored unless its route says otherwise, and no page of another site may embed
 * or read it.
 */
export const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': noFeatures,
  'cache-control': 'no-store',
} as const;

/** A year, as browsers ask for it; only where people reach the gateway by https. */
const strictTransport = 'max-age=31536000; includeSubDomains';

/** @param publicUrl where people reach the gateway; undefined when that is not set */
export const headersFor = (publicUrl: string | undefined): Readonly<Record<string, string>> => ({
  ...securityHeaders,
  ...(publicUrl?.startsWith('https:') === true && { 'strict-transport-security': strictTransport }),
});

export function addSecurityHeaders(app: NestFastifyApplication, publicUrl: string | undefined): void {
  const headers = headersFor(publicUrl);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers);
      done();
    });
}
