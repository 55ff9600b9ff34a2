import type { SerializedConfig } from 'vitest';
import { TestRunner } from 'vitest';

/**
 * One process runs many test files, one after the other, because loading the packages of node_modules costs more than
 * most files take. Each file evaluates our own modules anew and finds the environment as the first file found it.
 */
export default class FreshModulesRunner extends TestRunner {
  readonly #environment = { ...process.env };

  constructor(config: SerializedConfig) {
    super(config);
    // `isolate: false` in vitest.config.ts keeps the process; this lets Vitest forget the modules before each file.
    config.isolate = true;
  }

  override onAfterRunFiles(): void {
    super.onAfterRunFiles();
    for (const name of Object.keys(process.env)) if (!(name in this.#environment)) delete process.env[name];
    Object.assign(process.env, this.#environment);
  }
}
