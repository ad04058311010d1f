import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HealthRegistry, HealthScope } from './health-registry.js';

/** `/healthz`: the process turns. `/readyz`: it can do its work, `?scope=local` without asking other services. */
export function healthRoutes(app: NestFastifyApplication, health: HealthRegistry): void {
  const server = app.getHttpAdapter().getInstance();
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    const { scope } = request.query as Record<string, unknown>;
    const asked: HealthScope = scope === 'local' ? 'local' : 'full';
    const missing = await health.missing(asked);
    return reply.status(missing.length === 0 ? 200 : 503).send({ ready: missing.length === 0, missing });
  });
}
