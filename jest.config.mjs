import { swcOptions } from './tools/build.mjs';

const base = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcOptions, swcrc: false, sourceMaps: 'inline' }] },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@agentlattice/launcher$': '<rootDir>/tools/launcher/src/index.ts',
    '^@agentlattice/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/bench/', '<rootDir>/.agentlattice', '<rootDir>/.nx'],
  testEnvironment: 'node',
};

/**
 * Suffix = tier: unit (no I/O), int (one real server), e2e (the whole system as processes), published (with large programs of
 * others: coding agents, further runtimes; only `npm run check:published`).
 */
export default {
  projects: ['unit', 'int', 'e2e', 'published'].map((tier) => ({
    ...base,
    displayName: tier,
    testMatch: [`<rootDir>/{apps,libs,tools,e2e}/**/*.${tier}.spec.ts`],
  })),
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/test-sequencer.mjs',
  // Modules of earlier files stay in a worker's memory; collecting garbage around them takes longer than a new worker.
  workerIdleMemoryLimit: '500MB',
};
