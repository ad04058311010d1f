import { appendFileSync } from 'node:fs';

/** Says in the report of `npm test` that something was left out, and why: nothing may be left out in silence. */
export function notRun(reason: string): void {
  const file = process.env['AL_NOT_RUN_FILE'];
  if (file === undefined) console.warn(`did not run: ${reason}`);
  else appendFileSync(file, `${reason.replaceAll('\n', ' ')}\n`);
}
