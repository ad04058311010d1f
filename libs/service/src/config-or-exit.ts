import { badConfigurationExit } from '@agentlattice/contracts';
import { ConfigFault } from './base-config.js';

/** What `read` returns. A wrong setting ends the process with its one sentence and the exit code that says so. */
export function configOrExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigFault) exitForConfigFault(error);
    throw error;
  }
}

/** The process manager does not start a process again that ended with this code. */
export function exitForConfigFault(fault: ConfigFault): never {
  process.stderr.write(`${fault.message}\n`);
  process.exit(badConfigurationExit);
}
