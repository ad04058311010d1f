export type HealthCheck = () => void | Promise<void>;
/** `local`: what the service needs itself; `full`: what its callers need from others through it. */
export type HealthScope = 'local' | 'full';

/** What must be well for the service to do its work. A check that throws, or takes too long, is missing. */
export class HealthRegistry {
  private readonly checks = new Map<string, { check: HealthCheck; scope: HealthScope }>();

  constructor(private readonly withinMs = 1_000) {}

  add(name: string, check: HealthCheck, scope: HealthScope = 'local'): void {
    this.checks.set(name, { check, scope });
  }

  /** Names of the checks that fail, in the order they were added. */
  async missing(scope: HealthScope): Promise<string[]> {
    const asked = [...this.checks].filter(([, entry]) => scope === 'full' || entry.scope === 'local');
    const well = await Promise.all(asked.map(([, { check }]) => this.isWell(check)));
    return asked.filter((_, i) => well[i] !== true).map(([name]) => name);
  }

  private async isWell(check: HealthCheck): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.withinMs);
    });
    try {
      return await Promise.race([Promise.resolve(check()).then(() => true), late]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
