import { processTerminal } from './terminal.js';
import { run } from './run.js';

// The reader of our output may stop reading: `al approvals list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  terminal: processTerminal,
  stdin: process.stdin,
});
