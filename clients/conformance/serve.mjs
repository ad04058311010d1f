// Starts the scripted server and prints its address; ends with its standard input.
import { startScriptedServer } from './scripted-server.mjs';

const { address, stop } = await startScriptedServer();
console.log(address);
process.stdin.resume().once('end', () => void stop());
