import { WatchedCheck } from './watched-check.js';

export type HealthCheck = () => void | Promise<void>;
/**
 * `local`: the needs of the service itself; `service`: also its lags and its failures to store, while it still answers; `full`: also
 * the other services that its callers need.
 */
export type HealthScope = 'local' | 'service' | 'full';

export interface HealthFault {
  readonly name: string;
  /** Public: one sentence without the text of a driver's error. */
  readonly reason: string;
  /** The service answers, but is behind or cannot store; this does not prevent a start. */
  readonly degraded?: boolean;
}

/** A check's own reasons; of any other error only the name of the check is shown. */
export class Unhealthy extends Error {
  override readonly name = 'Unhealthy';

  constructor(readonly faults: readonly HealthFault[]) {
    super(faults.map(({ reason }) => reason).join('; '));
  }
}

const scopes: readonly HealthScope[] = ['local', 'service', 'full'];

/** The health checks of a service. A check fails when it throws or takes too long. */
export class HealthRegistry {
  private readonly checks = new Map<string, { check: HealthCheck; scope: HealthScope }>();

  private readonly watched = new Map<string, WatchedCheck>();

  constructor(private readonly withinMs = 1_000) {}

  add(name: string, check: HealthCheck, scope: HealthScope = 'local'): void {
    this.checks.set(name, { check, scope });
  }

  /** Adds a check that asks a server: it runs in the background until `stop`, and readiness reads its last result. */
  watch(name: string, check: HealthCheck, scope: HealthScope = 'local'): WatchedCheck {
    const watched = new WatchedCheck(name, () => this.faultsOf(name, check));
    this.watched.set(name, watched);
    const read = async () => {
      const faults = await watched.faults();
      if (faults.length > 0) throw new Unhealthy(faults);
    };
    this.add(name, read, scope);
    return watched;
  }

  watchOf(name: string): WatchedCheck | undefined {
    return this.watched.get(name);
  }

  /** Ends the checks in the background. */
  async stop(): Promise<void> {
    await Promise.all([...this.watched.values()].map((watched) => watched.stop()));
  }

  /** The names of the faults, in the order in which the checks were added. */
  async missing(scope: HealthScope): Promise<string[]> {
    return (await this.faults(scope)).map(({ name }) => name);
  }

  /** The faults, with the scopes of their checks. */
  async faults(scope: HealthScope): Promise<(HealthFault & { readonly scope: HealthScope })[]> {
    const widest = scopes.indexOf(scope);
    const asked = [...this.checks].filter(([, entry]) => scopes.indexOf(entry.scope) <= widest);
    const found = await Promise.all(
      asked.map(async ([name, { check, scope }]) =>
        (await this.faultsOf(name, check)).map((fault) => ({
          ...fault,
          scope,
          ...(scope === 'service' && { degraded: true }),
        })),
      ),
    );
    return found.flat();
  }

  private async faultsOf(name: string, check: HealthCheck): Promise<readonly HealthFault[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly HealthFault[]>((resolve) => {
      timer = setTimeout(() => resolve([{ name, reason: `${name} does not answer in time` }]), this.withinMs);
    });
    try {
      return await Promise.race([Promise.resolve(check()).then(() => []), late]);
    } catch (error) {
      return error instanceof Unhealthy ? error.faults : [{ name, reason: `${name} is not well` }];
    } finally {
      clearTimeout(timer);
    }
  }
}
