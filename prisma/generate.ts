/**
 * Writes everything that is generated from something else in the tree: `npm run generate`, and before tests, build
 * and start. It needs no network. A step whose inputs have not changed since its last success is skipped, so running
 * it again costs next to nothing; `npm run generate -- --force` runs all.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Step {
  name: string;
  /** Files and folders, from the root of the project, that decide the result. */
  inputs: readonly string[];
  /** What must be there for the step to be skipped. */
  outputs: readonly string[];
  run: () => void | Promise<void>;
}

/** In order: a step may read what an earlier one wrote. */
const steps: readonly Step[] = [
  {
    name: 'prisma',
    inputs: ['prisma/schema', 'prisma/prisma.config.ts', 'package-lock.json'],
    outputs: ['src/generated/prisma/client.ts', 'src/generated/pothos.ts'],
    run: () => runBin('prisma', 'prisma', ['generate', '--config', 'prisma/prisma.config.ts', '--no-hints']),
  },
  {
    name: 'schema.graphql',
    inputs: ['src', 'prisma/schema', 'package-lock.json'],
    outputs: ['schema.graphql'],
    run: () => runNode(['--import', 'tsx', 'src/api/print-schema.ts', 'schema.graphql'], 'schema.graphql'),
  },
  {
    name: 'documents',
    inputs: ['schema.graphql', 'codegen.ts', 'src/executor', 'test/clients', 'package-lock.json'],
    outputs: ['src/generated/executor/graphql.ts', 'test/generated/graphql.ts'],
    run: () => runBin('@graphql-codegen/cli', 'graphql-codegen', ['--config', 'codegen.ts']),
  },
  ...(process.argv.includes('--build')
    ? [
        {
          name: 'dist',
          inputs: ['src', 'schema.graphql', 'prisma/schema', 'tsconfig.json', 'package-lock.json'],
          outputs: ['dist/bin/server.js'],
          run: () => {
            rmSync(join(root, 'dist'), { recursive: true, force: true });
            runBin('typescript', 'tsc', ['-p', 'src/tsconfig.json']);
          },
        },
      ]
    : []),
];

const root = fileURLToPath(new URL('..', import.meta.url));
/** Prisma finds its further generators by name, also when npm did not start this script. */
const pathWithInstalledCommands = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(
  delimiter,
);
const stampFolder = join(root, 'src/generated/.stamps');

/** Runs a command of an installed package with this Node; its output is shown only when it fails. */
function runBin(packageName: string, bin: string, args: readonly string[]): void {
  const manifestPath = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const manifest: { bin: string | Record<string, string> } = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const script = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  if (script === undefined) throw new Error(`${packageName} has no command ${bin}`);

  runNode([join(dirname(manifestPath), script), ...args], `${bin} ${args.join(' ')}`);
}

/**
 * What an operator sets for the server is no part of it: what is generated is the same everywhere. Building the schema
 * asks nothing of a database, but the client wants an address.
 */
const environment = {
  DATABASE_URL: 'postgresql://localhost/unused',
  HOME: process.env['HOME'],
  TMPDIR: process.env['TMPDIR'],
  PATH: pathWithInstalledCommands,
};

function runNode(args: readonly string[], name: string): void {
  const { status, signal, error, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: environment,
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    console.error(`${stdout}${stderr}`.trim());
    console.error(`${name} failed (${signal ?? `exit code ${status}`})`);
    process.exit(1);
  }
}

/** One hash over the names and contents of all inputs. Generated and installed files inside folders do not count. */
function hashOf(inputs: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesUnder(join(root, input)))) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file).replaceAll(sep, '/')}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest('hex');
}

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'generated')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(join(path, entry.name)));
}

for (const step of steps) {
  const stamp = join(stampFolder, step.name);
  const hash = hashOf(step.inputs);
  const isFresh =
    !process.argv.includes('--force') &&
    step.outputs.every((output) => existsSync(join(root, output))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === hash;
  if (isFresh) continue;

  // Gone first, so that a failure half-way is not taken for a success the next time.
  rmSync(stamp, { force: true });
  const startedAt = performance.now();
  await step.run();
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, hash);
  console.log(`generated ${step.name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}
