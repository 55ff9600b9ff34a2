import { defineConfig, mergeConfig } from 'vitest/config';
import tests from '../vitest.config.ts';

/** `npm run test:peers`: the same questions to this server and to the original that it takes the place of. */
const { include: _include, ...test } = tests.test ?? {};
export default defineConfig(
  mergeConfig({ ...tests, test }, { test: { include: ['test/peers/**/*.peer.ts'] } }),
);
