import { problemMediaType, problemOf, routes } from '@agentlattice/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HealthRegistry } from './health-registry.js';

/**
 * `/healthz`: the process runs. `/readyz`: it can do its work and keeps up with it; with `?scope=local` only whether it can do its
 * work, without checking other services.
 */
export function healthRoutes(app: NestFastifyApplication, health: HealthRegistry): void {
  const server = app.getHttpAdapter().getInstance();
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    const query = routes.readyz.query.safeParse(request.query);
    if (!query.success)
      return reply
        .status(400)
        .type(problemMediaType)
        .send(
          problemOf('VALIDATION_FAILED', 'scope is full or local', request.id, {
            errors: [{ pointer: '/query/scope', detail: 'is full or local' }],
          }),
        );
    const faults = await health.faults(query.data.scope ?? 'full');
    return reply.status(faults.length === 0 ? 200 : 503).send({
      ready: faults.length === 0,
      missing: faults.map(({ name }) => name),
      degraded: faults.filter(({ degraded }) => degraded).map(({ name }) => name),
      reasons: faults.map(({ reason }) => reason),
    });
  });
}
