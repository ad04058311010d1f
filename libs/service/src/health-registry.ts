export type HealthCheck = () => void | Promise<void>;
/**
 * `local`: what the service needs itself; `service`: also what it is behind with or cannot store, though it answers;
 * `full`: also what its callers need from others through it.
 */
export type HealthScope = 'local' | 'service' | 'full';

export interface HealthFault {
  readonly name: string;
  /** Public: one sentence without anything of a driver's error. */
  readonly reason: string;
  /** The service answers all the same, but is behind or cannot store: no reason not to start. */
  readonly degraded?: boolean;
}

/** A check's own reasons; of any other error only the name of the check is shown. */
export class NotWell extends Error {
  override readonly name = 'NotWell';

  constructor(readonly faults: readonly HealthFault[]) {
    super(faults.map(({ reason }) => reason).join('; '));
  }
}

const scopes: readonly HealthScope[] = ['local', 'service', 'full'];

/** The checks of what the service needs for its work. A check fails when it throws or takes too long. */
export class HealthRegistry {
  private readonly checks = new Map<string, { check: HealthCheck; scope: HealthScope }>();

  constructor(private readonly withinMs = 1_000) {}

  add(name: string, check: HealthCheck, scope: HealthScope = 'local'): void {
    this.checks.set(name, { check, scope });
  }

  /** Names of what is wrong, in the order in which the checks were added. */
  async missing(scope: HealthScope): Promise<string[]> {
    return (await this.faults(scope)).map(({ name }) => name);
  }

  /** What is wrong, and the scope of the check that found it. */
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
      return error instanceof NotWell ? error.faults : [{ name, reason: `${name} is not well` }];
    } finally {
      clearTimeout(timer);
    }
  }
}
