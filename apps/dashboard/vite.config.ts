import { defineConfig } from 'vite';

/** Where `npm run dev` of this project finds the API: a gateway that `npm start` runs. */
const gateway = process.env['AL_BASE_URL'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
  root: import.meta.dirname,
  // The transform of React's JSX is built in; no plug-in and no second compiler.
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2023',
    // A data: URL would need a wider content security policy than the page has.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      onLog: (level, log, handle) => {
        // `use client` of packages means something to server rendering only.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  server: { port: 5173, proxy: { '/api': gateway, '/auth': gateway } },
});
