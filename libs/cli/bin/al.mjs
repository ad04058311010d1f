#!/usr/bin/env node
// Starts the client as it was built; plain JavaScript, so that it can say what is missing.
import { existsSync } from 'node:fs';

const built = new URL('../dist/bundle/main.js', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(`al needs Node 22.15 or later; this is ${process.versions.node}.\n`);
  process.exitCode = 3;
} else if (!existsSync(built)) {
  process.stderr.write('al is not built yet: run `npm start` once, or `node tools/bootstrap.mjs install`.\n');
  process.exitCode = 3;
} else await import(built.href);
