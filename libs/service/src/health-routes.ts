import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HealthRegistry, HealthScope } from './health-registry.js';

/**
 * `/healthz`: the process turns. `/readyz`: it can do its work and keeps up with it, `?scope=local` only the first and
 * without asking other services.
 */
export function healthRoutes(app: NestFastifyApplication, health: HealthRegistry): void {
  const server = app.getHttpAdapter().getInstance();
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    const { scope } = request.query as Record<string, unknown>;
    const asked: HealthScope = scope === 'local' ? 'local' : 'full';
    const faults = await health.faults(asked);
    return reply.status(faults.length === 0 ? 200 : 503).send({
      ready: faults.length === 0,
      missing: faults.map(({ name }) => name),
      degraded: faults.filter(({ degraded }) => degraded).map(({ name }) => name),
      reasons: faults.map(({ reason }) => reason),
    });
  });
}
