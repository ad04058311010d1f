import type { ServiceName } from '@agentlattice/contracts';
import { idle, PeriodicTask, type Projection, relayLagSeconds } from '@agentlattice/event-store';
import { type Logger, observe, type Reading } from '@agentlattice/observability';
import type pg from 'pg';
import type { HealthFault } from './health-registry.js';

const instrumentOf = {
  relay: 'agentlattice.relay.lag',
  intake: 'agentlattice.intake.lag',
  ledger: 'agentlattice.ledger.lag',
} as const;
export type LagKind = keyof typeof instrumentOf;
const kinds = Object.keys(instrumentOf) as LagKind[];
type LagLabels<Kind extends LagKind> = Reading<(typeof instrumentOf)[Kind]>['labels'];

/** How far a reader is behind its source. There is no lag while there is nothing to do. */
interface LagOf<Kind extends LagKind> {
  readonly kind: Kind;
  /** The name of the reader in readiness. */
  readonly name: string;
  /** The attributes of the lag in the metric of its kind. */
  readonly attributes: LagLabels<Kind>;
  /** Measured by the state of the tables, not by recent activity: 0 means that nothing waits. */
  readonly measure: () => Promise<number>;
  /** A lag above this makes the service not ready; default 10. */
  readonly redSeconds?: number;
  /** The reason for readiness; default: the number of seconds. */
  readonly reason?: (seconds: number) => string;
}

export type Lag = { [Kind in LagKind]: LagOf<Kind> }[LagKind];

interface Watched {
  readonly lag: Lag;
  readonly work: PeriodicTask;
  seconds: number;
  /** Monotonic. */
  measuredAt: number;
  red: boolean;
}

const defaultRedSeconds = 10;
const measureEveryMs = 2_000;
/**
 * While there is no lag it is measured less often, but often enough: an event that begins to wait right after a measurement is found
 * while it is younger than the limit, and from then on the lag is measured every two seconds.
 */
const idlePauses = 4;

/** The lags of a service: measured regularly, shown by readiness, and exported as `agentlattice.<kind>.lag`. */
export class LagRegistry {
  private readonly watched = new Set<Watched>();
  private readonly gauges: (() => void)[];

  constructor(
    private readonly logger: Logger,
    private readonly everyMs = measureEveryMs,
  ) {
    this.gauges = kinds.map((kind) =>
      observe(instrumentOf[kind], () =>
        [...this.watched].flatMap((one) =>
          one.lag.kind === kind
            ? [{ value: now(one, this.everyMs), labels: one.lag.attributes as LagLabels<typeof kind> }]
            : [],
        ),
      ),
    );
  }

  /** @returns a function that removes it */
  add(lag: Lag): () => Promise<void> {
    const watched: Watched = {
      lag,
      seconds: 0,
      measuredAt: performance.now(),
      red: false,
      work: new PeriodicTask(
        `measuring the lag of ${lag.name}`,
        this.everyMs,
        async () => {
          watched.seconds = await lag.measure();
          watched.measuredAt = performance.now();
          return watched.seconds === 0 ? idle : undefined;
        },
        { warn: (fields: object, text: string) => this.logger.debug(fields, text) },
        this.everyMs * idlePauses,
      ).start(),
    };
    this.watched.add(watched);
    return async () => {
      this.watched.delete(watched);
      await watched.work.stop();
    };
  }

  /** The relay of a service with the tables of the event store. */
  addRelay(service: ServiceName, pool: pg.Pool): void {
    this.add({
      kind: 'relay',
      name: `relay of the ${service}`,
      attributes: { relay: service },
      measure: () => relayLagSeconds(pool),
    });
  }

  /** A projection, with one lag for each of its sources. @returns a function that removes them */
  addProjection(projection: ProjectionLag): () => Promise<void> {
    const { durable, sources } = projection;
    const ends = sources.map((source) =>
      this.add({
        kind: 'intake',
        name: `${durable} from the ${source}`,
        attributes: { consumer: durable, source },
        measure: () => projection.lagSeconds(source),
      }),
    );
    return async () => void (await Promise.all(ends.map((end) => end())));
  }

  /** The lags that make the service not ready. */
  faults(): HealthFault[] {
    const faults: HealthFault[] = [];
    for (const one of this.watched) {
      const seconds = now(one, this.everyMs);
      const { name, redSeconds = defaultRedSeconds, reason } = one.lag;
      // Once red, a lag must fall below half of the limit, so that one near the limit does not flap.
      one.red = seconds > (one.red ? redSeconds / 2 : redSeconds);
      const rounded = Math.round(seconds);
      if (one.red)
        faults.push({ name, reason: reason?.(rounded) ?? `${name} is ${String(rounded)} s behind` });
    }
    return faults;
  }

  async stop(): Promise<void> {
    for (const end of this.gauges) end();
    await Promise.all([...this.watched].map(({ work }) => work.stop()));
    this.watched.clear();
  }
}

export type ProjectionLag = Pick<Projection, 'durable' | 'sources' | 'lagSeconds'>;

/** A lag that can no longer be measured grows with time, as if the reader had stopped. */
function now({ seconds, measuredAt }: Watched, everyMs: number): number {
  const since = performance.now() - measuredAt - 2 * everyMs;
  return seconds === 0 ? 0 : seconds + Math.max(0, since / 1_000);
}
