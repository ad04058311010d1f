import { Worker } from 'node:worker_threads';

/** Runs beside the program, so that it also ends one that is busy or stuck. */
const script = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
setTimeout(() => {
  try { writeSync(2, workerData.message + '\\n'); } finally { process.kill(process.pid, 'SIGKILL'); }
}, workerData.afterMs);
`;

/** Kills this process when it is still there after so long. */
export function startWatchdog(afterMs: number, message: string): void {
  // Without the options of this process, which could read the script in another way.
  new Worker(script, { eval: true, execArgv: [], workerData: { afterMs, message } }).unref();
}
