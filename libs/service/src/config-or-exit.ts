import { badConfigurationExit } from '@agentlattice/contracts';
import { ConfigFault } from './base-config.js';

/** The result of `read`. A faulty setting ends the process with one sentence and the exit code for it. */
export function configOrExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigFault) exitForConfigFault(error);
    throw error;
  }
}

/** The process manager does not restart a process that ended with this code. */
export function exitForConfigFault(fault: ConfigFault): never {
  process.stderr.write(`${fault.message}\n`);
  process.exit(badConfigurationExit);
}
