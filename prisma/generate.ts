/**
 * Writes all generated files: `npm run generate`, and before tests, build and start. It needs no network. It skips a
 * step whose inputs have not changed since its last success, so running it again takes almost no time. `npm run
 * generate -- --force` runs all steps.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildInfo } from './build-info.ts';

interface Step {
  name: string;
  /** The files and folders that the result depends on, relative to the root of the project. */
  inputs: readonly string[];
  /** The step can be skipped only if these exist. */
  outputs: readonly string[];
  run: () => void | Promise<void>;
}

/** In order, because a step may read the output of an earlier one. */
const steps: readonly Step[] = [
  {
    name: 'prisma',
    inputs: ['prisma/schema', 'prisma/prisma.config.ts', 'package-lock.json'],
    outputs: ['src/generated/prisma/client.ts', 'src/generated/pothos.ts'],
    run: () => runBin('prisma', 'prisma', ['generate', '--config', 'prisma/prisma.config.ts', '--no-hints']),
  },
  {
    name: 'proto',
    inputs: ['prisma/generate.ts', 'package-lock.json'],
    outputs: ['src/generated/proto/flyteidl/admin/launch_plan_pb.ts'],
    run: generateFlyteMessages,
  },
  {
    name: 'schema.graphql',
    inputs: ['src', 'prisma/schema', 'package-lock.json'],
    outputs: ['schema.graphql'],
    run: () => runNode(['--import', 'tsx', 'src/api/print-schema.ts', 'schema.graphql'], 'schema.graphql'),
  },
  {
    name: 'documents',
    inputs: [
      ...['schema.graphql', 'codegen.ts', 'package-lock.json'],
      ...['src/executor', 'src/cli', 'src/doors', 'test/clients'],
    ],
    outputs: [
      'src/generated/executor/graphql.ts',
      'src/generated/cli/graphql.ts',
      'src/generated/doors/graphql.ts',
      'test/generated/graphql.ts',
    ],
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
            const info = buildInfo(root, process.env, new Date());
            writeFileSync(join(root, 'dist/build.json'), JSON.stringify(info));
          },
        },
      ]
    : []),
];

const root = fileURLToPath(new URL('..', import.meta.url));
/** Prisma finds further generators by name. This makes it work even if npm did not start this script. */
const pathWithInstalledCommands = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(
  delimiter,
);
const stampFolder = join(root, 'src/generated/.stamps');

/** Runs a command of an installed package with this Node. Its output is shown only if it fails. */
function runBin(packageName: string, bin: string, args: readonly string[]): void {
  const manifestPath = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const manifest: { bin: string | Record<string, string> } = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const script = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  if (script === undefined) throw new Error(`${packageName} has no command ${bin}`);

  runNode([join(dirname(manifestPath), script), ...args], `${bin} ${args.join(' ')}`);
}

/** The messages in the packages of Flyte's tools, with all that they refer to. */
function generateFlyteMessages(): void {
  const require = createRequire(import.meta.url);
  const installed = join(dirname(require.resolve('@flyteorg/flyteidl/package.json')), 'protos/flyteidl');
  const plugin = join(dirname(require.resolve('@bufbuild/protoc-gen-es/package.json')), 'bin/protoc-gen-es');
  // A copy without the configuration beside it, for which buf would need the network.
  const protos = join(root, 'src/generated/.protos');
  cpSync(installed, join(protos, 'flyteidl'), { recursive: true });
  const template = {
    version: 'v2',
    clean: true,
    plugins: [
      {
        local: [process.execPath, plugin],
        out: 'src/generated/proto',
        opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
        include_imports: true,
      },
    ],
  };
  const files = ['task', 'workflow', 'launch_plan'].map((name) => `flyteidl/admin/${name}.proto`);
  const paths = files.flatMap((file) => ['--path', join(protos, file)]);
  runBin('@bufbuild/buf', 'buf', ['generate', protos, '--template', JSON.stringify(template), ...paths]);
  rmSync(protos, { recursive: true });
}

/**
 * The configuration of the server does not count here, so that the generated files are the same everywhere. Building
 * the schema does not use a database, but the client needs an address.
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

/** One hash of the names and contents of all inputs, without generated and installed files. */
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

  // Removed first, so that a step that fails half-way does not count as successful the next time.
  rmSync(stamp, { force: true });
  const startedAt = performance.now();
  await step.run();
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, hash);
  console.log(`generated ${step.name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}
