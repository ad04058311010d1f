import { z } from 'zod';

const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
const named = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).transform((name) => levels[name]);
const logLine = z.object({
  level: z.union([z.number(), named]),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});

/** A service's log line as the terminal shows it: warnings and errors in short form, other output in full. */
export function presentLogLine(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const parsed = logLine.safeParse(line.startsWith('{') ? parseJson(line) : undefined);
  if (!parsed.success) return line;
  const { level, msg, err } = parsed.data;
  if (level < levels.warn) return undefined;
  const word = level >= levels.error ? 'ERROR' : 'warning';
  return `${word}: ${[msg, err?.message].filter((part) => part !== undefined && part !== '').join(': ')}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
