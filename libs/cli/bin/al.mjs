#!/usr/bin/env node
// Starts the client as it was built; plain JavaScript, so that it can say what is missing.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const built = new URL('../dist/bundle/main.js', import.meta.url);
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`al needs Node 20 or later; this is ${process.versions.node}.\n`);
  process.exitCode = 3;
} else if (!existsSync(built)) {
  process.stderr.write('al is not built yet: run `npm start` once, or `node tools/bootstrap.mjs install`.\n');
  process.exitCode = 3;
} else {
  // Keeps the compiled code from start to start. In a folder of the user: what is in it is run, and others can write to /tmp.
  module.enableCompileCache?.(
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'agentlattice-al'),
  );
  await import(built.href);
}
