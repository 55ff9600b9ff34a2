import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * All steps and their libraries as one module. So code is a file like any other, and a machine that runs a task needs
 * only Node. The same sources give the same bytes.
 */
export async function bundleSteps(): Promise<Uint8Array> {
  const result = await build({
    absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
    entryPoints: ['steps/main.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  const [bundle] = result.outputFiles;
  if (!bundle) throw new Error('esbuild made no file');
  return bundle.contents;
}
