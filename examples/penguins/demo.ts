/**
 * Starts Slipway on a temporary database, registers the penguins' workflow, runs it, and shows the result. `npm run
 * demo -- --help` shows the options.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { SlipwayClient } from './client.ts';
import { readDataSet, withCopiedFlippers } from './data-set.ts';
import { nodeEvents, type Outcome, readAttempts, readFile, readOutcome } from './follow.ts';
import { type Platform, startPlatform } from './platform.ts';
import { NodeTable } from './table.ts';
import { documents, domain, launchPenguins, project, registerPenguins } from './workflow.ts';

const HELP = `npm run demo -- [options]

  --seed N           splits the penguins differently; 7 by default
  --shuffle-labels   gives the penguins random species, so that there is nothing to learn
  --fail             runs on data with an error, and shows what you see when a task fails
  --stay             keeps everything running until Ctrl-C

  SLIPWAY_HOME       a folder for the database; without it, the demo deletes its database
  PORT               the port of the server; without it, a free one
`;

const LOG_LINES = 8;

interface Options {
  readonly seed: number | undefined;
  readonly shuffleLabels: boolean;
  readonly fail: boolean;
  readonly stay: boolean;
}

/** An error that the user of the demo has caused or can correct. */
class UserError extends Error {}

/** @returns null if help is asked for. */
function readOptions(args: string[]): Options | null {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    seed: { type: 'string' },
    'shuffle-labels': flag,
    fail: flag,
    stay: flag,
    help: flag,
  } as const;
  const { seed, fail, stay, help, ...others } = parsed(() => parseArgs({ args, options })).values;
  if (help) return null;
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) throw new UserError('--seed must be a whole number');
  return {
    seed: seed === undefined ? undefined : Number(seed),
    shuffleLabels: others['shuffle-labels'],
    fail,
    stay,
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${HELP}`);
  }
}

const say = (...lines: string[]) => console.log(lines.join('\n'));

async function demo(options: Options, interrupted: AbortSignal): Promise<void> {
  const begunAt = Date.now();
  say('Starting PostgreSQL, server, scheduler and executor …');
  const platform = await startPlatform(interrupted);
  const over = AbortSignal.any([interrupted, platform.ended]);
  try {
    await runOn(platform, options, over);
    say('', `It took ${((Date.now() - begunAt) / 1000).toFixed(1)} s in all.`);
    if (options.stay) {
      sayHowToSignIn(platform);
      if (!over.aborted) await once(over, 'abort');
      platform.ended.throwIfAborted();
    }
  } finally {
    await platform.stop();
  }
}

async function runOn(platform: Platform, options: Options, over: AbortSignal): Promise<void> {
  const { url, username, password } = platform;
  const client = await SlipwayClient.signIn(url, username, password, over);
  const { tasks, workflow } = await registerPenguins(client);
  say(
    `Registered ${tasks.length} tasks and the workflow ${workflow.key.name}, version ${workflow.key.version}.`,
  );

  const lines = options.fail ? withCopiedFlippers(readDataSet()) : readDataSet();
  const { seed, shuffleLabels } = options;
  const inputs = { ...(seed === undefined ? {} : { seed }), shuffleLabels };
  const execution = await launchPenguins(client, inputs, lines);
  say(`Launched execution ${execution.name}.`, '');

  await showNodes(client, execution.id);
  const outcome = await readOutcome(client, execution.id);
  say('', `Execution ${execution.id} ${outcome.phase}`);
  if (options.fail) await showFailure(client, execution.name, outcome);
  else await showOutputs(outcome);
  const note = options.stay ? '' : ' (until now; to keep it running: npm run demo -- --stay)';
  say('', `GraphiQL: ${url}/graphql${note}`);
}

async function showNodes(client: SlipwayClient, executionId: string): Promise<void> {
  const { nodes } = documents.workflow.template;
  const table = new NodeTable(
    nodes.map((node) => node.id),
    process.stdout,
  );
  try {
    for await (const event of nodeEvents(client, executionId)) table.apply(event);
  } finally {
    table.end();
  }
}

async function showOutputs(outcome: Outcome): Promise<void> {
  if (outcome.phase !== 'SUCCEEDED')
    throw new Error(`the execution is ${outcome.phase}: ${errorText(outcome)}`);
  const { best, accuracy, baseline, scores, report } = outcome.data.outputs;
  const indented = (await readFile(outcome, report)).trimEnd().replaceAll(/^(?=.)/gm, '  ');
  say(
    `  best      ${best}`,
    `  accuracy  ${accuracy} on penguins that no model has seen; always guessing the most common species gets ${baseline}`,
    `  scores    ${JSON.stringify(scores)}`,
    `  report    ${report}`,
    '',
    indented,
  );
}

/** What a user sees when the code of a task fails: the node, its attempts, the error, and the output. */
async function showFailure(
  client: SlipwayClient,
  execution: string,
  { phase, error, errorNodeId: nodeId }: Outcome,
): Promise<void> {
  if (phase !== 'FAILED' || !error || !nodeId)
    throw new Error(
      `the execution should have failed, but it is ${phase}: ${errorText({ error, errorNodeId: nodeId })}`,
    );
  const attempts = await readAttempts(client, { project, domain, execution, nodeId });
  say(`  node      ${nodeId}`, `  error     ${error.kind}, ${error.code}`, `  message   ${error.message}`);
  for (const attempt of attempts) {
    say(`  attempt ${attempt.retryAttempt + 1} ${attempt.phase}; the end of its output:`);
    for (const line of attempt.log.trimEnd().split('\n').slice(-LOG_LINES)) say(`    | ${line}`);
  }
}

function errorText({ error, errorNodeId }: Pick<Outcome, 'error' | 'errorNodeId'>): string {
  return error ? `${errorNodeId}, ${error.kind}, ${error.code}, ${error.message}` : 'no error';
}

function sayHowToSignIn({ username, password }: Platform): void {
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  say(
    '',
    `Everything runs until Ctrl-C. Sign in to GraphiQL as ${username} with the password ${password}. Programs send this header:`,
    `  Authorization: Basic ${basic}`,
  );
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort(new UserError(name)));
}
// The program that reads our output has ended, as after `| head`.
process.stdout.on('error', () => interruption.abort(new UserError('nobody reads its output')));
try {
  const options = readOptions(process.argv.slice(2));
  if (options) await demo(options, interruption.signal);
  else say(HELP);
} catch (error) {
  if (interruption.signal.aborted) {
    console.error(
      `\nThe demo was interrupted (${interruption.signal.reason.message}). Everything that it had started has ended.`,
    );
    process.exitCode = 130;
  } else {
    // The stack helps only with a bug in our code, such as a TypeError.
    const isPlain = error instanceof Error && ['Error', 'Refusal'].includes(error.name);
    console.error('\nThe demo failed:', isPlain ? error.message : error);
    process.exitCode = 1;
  }
}
