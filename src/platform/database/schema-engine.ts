/**
 * Prisma's own schema engine, compiled to WebAssembly. It is large, so only what needs it loads this file.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';

/** Starts the schema engine over a database adapter. The caller must `free` it. */
export async function loadSchemaEngine(
  adapter: SqlMigrationAwareDriverAdapterFactory,
): Promise<SchemaEngine> {
  await instantiateEngine();
  return engineModule.SchemaEngine.new(
    { datamodels: undefined },
    () => undefined, // The log of the engine. We need only its results and errors.
    bindMigrationAwareSqlAdapterFactory(adapter),
  );
}

let instantiated: Promise<void> | undefined;

/** We load the engine by hand, because Node 20 cannot import `.wasm` files. */
function instantiateEngine(): Promise<void> {
  instantiated ??= (async () => {
    const packageEntry = createRequire(import.meta.url).resolve(
      '@prisma/schema-engine-wasm/schema_engine_bg',
    );
    const bytes = await readFile(join(dirname(packageEntry), 'schema_engine_bg.wasm'));
    const { instance } = await WebAssembly.instantiate(bytes, {
      './schema_engine_bg.js': engineImports(),
    });
    engineModule.__wbg_set_wasm(instance.exports);
    (instance.exports['__wbindgen_start'] as () => void)();
  })();
  return instantiated;
}

/**
 * The engine limits its wait for the lock by a timer of 10 s that it never clears. The timer must not keep a finished
 * process alive.
 */
function engineImports(): WebAssembly.ModuleImports {
  const functions: Record<string, unknown> = { ...engineModule };
  for (const name of Object.keys(functions).filter((key) => key.startsWith('__wbg_setTimeout_'))) {
    functions[name] = (callback: () => void, milliseconds: number) =>
      setTimeout(callback, milliseconds).unref();
  }
  return functions as WebAssembly.ModuleImports;
}
