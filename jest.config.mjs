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
 * Suffix = tier: unit (no I/O), int (one real server), e2e (the whole system as processes), hosts (the published programs of coding agents,
 * about 1 GB; only `npm run check:hosts`).
 */
export default {
  projects: ['unit', 'int', 'e2e', 'hosts'].map((tier) => ({
    ...base,
    displayName: tier,
    testMatch: [`<rootDir>/{apps,libs,tools,e2e}/**/*.${tier}.spec.ts`],
  })),
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/test-sequencer.mjs',
  // Modules of earlier files stay in a worker's memory; collecting garbage around them takes longer than a new worker.
  workerIdleMemoryLimit: '500MB',
};
