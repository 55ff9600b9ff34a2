import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite would take the package's ES build where Node takes the other: two copies, and nothing is an instance of both.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/environment.ts'],
    // No test asserts how long something takes: these end what hangs, also on a machine that is busy with other things.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // One more than the two cores of a small machine: some tests wait for processes more than they compute.
    maxWorkers: 3,
    isolate: false,
    runner: 'test/support/runner.ts',
    // Prisma's schema engine keeps the memory of the first engine that it was given, so each file evaluates it anew.
    server: { deps: { inline: [/schema-engine-wasm/] } },
  },
});
