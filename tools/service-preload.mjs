// `node --import ./tools/service-preload.mjs apps/<service>/dist/main.js`: what is to be so before a service is loaded.
import { setSourceMapsSupport } from 'node:module';

// For our own code alone. With --enable-source-maps those of all packages are read and kept: six megabytes a process.
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
