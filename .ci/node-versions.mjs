/**
 * Runs the commands of a newcomer on each version of Node that Slipway supports: npm ci, npm start with one query, and
 * the demo. `.ci/run` calls it after the tests. It works on a copy of the project, uses files that are already generated
 * and built, and ends at the first step that fails.
 *
 *   node .ci/node-versions.mjs            all of them
 *   node .ci/node-versions.mjs 24.21.0    only this one
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest version that package.json allows, and one version of each later release line with long-term support. */
const VERSIONS = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

const root = fileURLToPath(new URL('..', import.meta.url));
const asked = process.argv.slice(2);

for (const version of asked.length > 0 ? asked : VERSIONS) {
  const begunAt = performance.now();
  const scratch = mkdtempSync(join(tmpdir(), `slipway-node-${version}-`));
  try {
    await tryOut(version, join(scratch, 'slipway'));
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
  console.log(`Node ${version}: installs, starts, answers and runs the demo (${secondsSince(begunAt)} s)`);
}

async function tryOut(version, copy) {
  const bin = await installNode(version);
  const { PATH, HOME, TMPDIR } = process.env;
  const env = { PATH: `${bin}${delimiter}${PATH}`, HOME, TMPDIR, CI: 'true', METRICS_PORT: 'off', PORT: '0' };
  const options = { cwd: copy, env };

  mkdirSync(copy);
  const files = await run('git', ['ls-files', '-z'], { cwd: root, seconds: 10 });
  for (const file of files.split('\0').filter((name) => name !== '' && existsSync(join(root, name))))
    cpSync(join(root, file), join(copy, file));
  for (const built of ['dist', 'src/generated', 'test/generated'])
    cpSync(join(root, built), join(copy, built), { recursive: true });

  const installed = await run('npm', ['ci', '--prefer-offline', '--engine-strict'], {
    ...options,
    seconds: 300,
  });
  const used = await run('node', ['--version'], { ...options, seconds: 10 });
  if (used.trim() !== `v${version}`)
    throw new Error(`${used.trim()} runs instead of Node ${version}\n${installed}`);
  await startAndAsk(options);
  const demo = await run('npm', ['run', 'demo'], { ...options, seconds: 120 });
  if (!/^Execution \S+ SUCCEEDED$/m.test(demo)) throw new Error(`the demo did not succeed:\n${demo}`);
}

/** @returns the folder of the program `node`, from the npm package of that name. */
async function installNode(version) {
  const folder = join(root, 'test/.clients', `node-${version}`);
  const bin = join(folder, 'node_modules/node/bin');
  if (!existsSync(join(bin, 'node'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ private: true, allowScripts: { node: true } }),
    );
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', `node@${version}`], {
      cwd: folder,
      env: process.env,
      seconds: 300,
    });
  }
  return bin;
}

/** `npm start` must become ready, answer a query of the administrator, and leave no process behind after SIGTERM. */
async function startAndAsk({ cwd, env }) {
  const home = join(dirname(cwd), 'home');
  const tree = begin('npm', ['start'], { cwd, env: { ...env, SLIPWAY_HOME: home } });
  const late = setTimeout(() => tree.kill(), 90_000);
  while (!tree.said().includes('Slipway is ready')) {
    if (tree.child.exitCode !== null || tree.child.signalCode !== null)
      throw new Error(`npm start ended:\n${tree.said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  clearTimeout(late);
  const [, username, password] =
    /Sign in as (\S+) with this password[^\n]*\n\s*(\S+)/.exec(tree.said()) ?? [];
  const { address, supervisor } = JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8'));
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    },
    body: JSON.stringify({ query: '{ viewer { username } domains { name } }' }),
  });
  const { data, errors } = await response.json();
  if (data?.viewer?.username !== username) throw new Error(`the query failed: ${JSON.stringify(errors)}`);
  process.kill(supervisor, 'SIGTERM');
  const tooLong = setTimeout(() => tree.kill(), 60_000);
  await tree.ended;
  clearTimeout(tooLong);
  if (existsSync(join(home, 'processes.json')))
    throw new Error(`npm start did not end in order:\n${tree.said()}`);
}

function begin(command, args, options) {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  return {
    child,
    said: () => output,
    ended: once(child, 'close'),
    kill: () => process.kill(-child.pid, 'SIGKILL'),
  };
}

/** @returns the output of the command. @throws Error if it fails or takes longer than `seconds`. */
async function run(command, args, { seconds, ...options }) {
  const { child, said, ended, kill } = begin(command, args, options);
  const late = setTimeout(kill, seconds * 1000);
  await ended;
  clearTimeout(late);
  if (child.exitCode !== 0)
    throw new Error(
      `${command} ${args.join(' ')} failed (${child.signalCode ?? child.exitCode}):\n${said()}`,
    );
  return said();
}

function secondsSince(begunAt) {
  return ((performance.now() - begunAt) / 1000).toFixed(0);
}
