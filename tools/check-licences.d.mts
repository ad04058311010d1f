export function fits(expression: string, allowed: ReadonlySet<string>): boolean;
export function licencesOf(lock: unknown): {
  name: string;
  version: string;
  license: string;
  dev: boolean;
  fits: boolean;
}[];
