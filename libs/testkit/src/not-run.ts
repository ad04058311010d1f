import { appendFileSync } from 'node:fs';

/** Reports a test that was not run, with the reason, at the end of `npm test`. */
export function notRun(reason: string): void {
  const file = process.env['AL_NOT_RUN_FILE'];
  if (file === undefined) console.warn(`did not run: ${reason}`);
  else appendFileSync(file, `${reason.replaceAll('\n', ' ')}\n`);
}
