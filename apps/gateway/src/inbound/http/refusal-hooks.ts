import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { RefusedAccess } from '../../application/refused-access.js';

/** A refusal is answered once its entry is on disk: who tries is seen, also where the gateway is killed right after. */
export function addRefusalHooks(app: NestFastifyApplication, refused: Pick<RefusedAccess, 'written'>): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (_request, reply, payload, done) => {
      const writing = reply.statusCode === 403 ? refused.written() : null;
      if (writing === null) done(null, payload);
      else void writing.then(() => done(null, payload));
    });
}
