import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * All steps and the libraries they use as one module, so that code travels as a file like any other: whatever machine
 * runs a task needs Node and nothing else. The same sources give the same bytes.
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
