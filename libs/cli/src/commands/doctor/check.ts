/** One finding: what was looked at, how it stands, and what to do where it is not well. */
export interface Check {
  readonly part: string;
  readonly status: 'ok' | 'warning' | 'failed';
  /** One sentence. */
  readonly text: string;
  /** Null where nothing is to be done. */
  readonly remedy: string | null;
}

export const ok = (part: string, text: string): Check => ({ part, status: 'ok', text, remedy: null });
export const warning = (part: string, text: string, remedy: string): Check => ({
  part,
  status: 'warning',
  text,
  remedy,
});
export const failed = (part: string, text: string, remedy: string): Check => ({
  part,
  status: 'failed',
  text,
  remedy,
});

/** The message of an error, without the URL and its password. */
export function reasonOf(error: unknown): string {
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: unknown };
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
  if (first !== undefined) return reasonOf(first);
  return typeof code === 'string' && code !== '' && !/^\d/.test(code)
    ? code
    : (String(message ?? error).split('\n')[0] ?? '');
}
