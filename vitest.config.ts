import { defineConfig } from 'vitest/config';

const BROWSER = 'tests/browser/**/*.test.ts';

export default defineConfig({
  test: {
    // Most tests wait for containers, sockets and processes, not for a core.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    projects: [
      // A browser gives up what it is loading whenever an address of the machine changes, as with each container.
      { extends: true, test: { name: 'browser', include: [BROWSER], sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: { name: 'all', include: ['tests/**/*.test.ts'], exclude: [BROWSER], sequence: { groupOrder: 1 } },
      },
    ],
  },
});
