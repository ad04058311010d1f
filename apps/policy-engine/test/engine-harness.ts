import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
} from '@agentlattice/testkit';
import { migrations } from '../src/migrations/index.js';
import { type EngineFixture, openEngineFixture } from './engine-fixture.js';

/** Two replicas on servers of their own. */
export interface EngineHarness {
  readonly postgres: TestPostgres;
  readonly nats: TestNats;
  readonly f: EngineFixture;
  stop(): Promise<void>;
}

export async function startEngineHarness(): Promise<EngineHarness> {
  const [postgres, nats] = await Promise.all([
    startPostgres({ migrations: { 'policy-engine': migrations } }),
    startNats(),
  ]);
  const f = await openEngineFixture(postgres, nats);
  await eventually(() => f.fresh());
  return {
    postgres,
    nats,
    f,
    async stop() {
      await f.close();
      await Promise.all([postgres.stop(), nats.stop()]);
    },
  };
}
