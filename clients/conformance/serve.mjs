// Starts the scripted server as a program: prints its address on one line, and stops when its standard input ends.
import { startScriptedServer } from './scripted-server.mjs';

const { address, stop } = await startScriptedServer();
process.stdout.write(`${address}\n`);
process.stdin.on('end', () => void stop()).resume();
