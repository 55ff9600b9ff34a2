/** Signs in and lists the projects. If a launch plan is named, launches an execution and follows it. See README.md. */
import { parseArgs } from 'node:util';
import { SlipwayClient, SlipwayError } from './client.ts';
import type { NodeEventsSubscription } from './generated/graphql.ts';
import { launch, nodeEvents, outcome, projects, signIn } from './operations.ts';

const usage = 'npm start -- [--inputs JSON] [project/domain/launch-plan/version]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { inputs: { type: 'string' } },
});

const url = `${process.env['SLIPWAY_URL'] ?? 'http://127.0.0.1:4000'}/graphql`;
const username = process.env['SLIPWAY_USERNAME'] ?? 'admin';
const password = process.env['SLIPWAY_PASSWORD'];

async function main(): Promise<number> {
  if (!password) throw new Error('set SLIPWAY_PASSWORD');
  const client = await signedIn(username, password);

  const { viewer, projects: found } = await client.ask(projects, {});
  console.log(`Signed in as ${viewer?.username} (${viewer?.role}).`);
  for (const { node } of found.edges) console.log(`  ${node.identifier}  ${node.name}  ${node.state}`);

  const [plan] = positionals;
  return plan ? await run(client, plan) : 0;
}

/** Sends the password only once, to get a token. */
async function signedIn(name: string, secret: string): Promise<SlipwayClient> {
  const basic = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
  const { login } = await new SlipwayClient(url, basic).ask(signIn, {});
  if (login?.__typename !== 'LoginPayload') throw new Error(login?.message ?? 'no token');
  return new SlipwayClient(url, `Bearer ${login.token}`);
}

/** What an event says about a node, in a few words. */
function textOf(event: NodeEventsSubscription['nodeExecutionEvents']): string {
  if (event.__typename === 'NodePhaseEvent') return event.phase;
  if (event.__typename === 'TaskPhaseEvent') return `attempt ${event.attempt} ${event.taskPhase}`;
  return `is asked to stop: ${event.reason ?? ''}`;
}

/** Launches an execution, follows its nodes to the end, and prints the outputs. @returns the exit code. */
async function run(client: SlipwayClient, plan: string): Promise<number> {
  const [project, domain, name, version] = plan.split('/');
  if (!project || !domain || !name || !version) throw new Error(usage);
  const { createExecution } = await client.ask(launch, {
    input: {
      project,
      domain,
      launchPlan: { key: { project, domain, name, version } },
      inputs: JSON.parse(values.inputs ?? '{}') as unknown,
    },
  });
  switch (createExecution?.__typename) {
    case 'CreateExecutionPayload':
      break;
    case 'InvalidArgumentError':
      for (const problem of createExecution.problems)
        console.error(`${problem.path.join('.')}: ${problem.message}`);
      return 1;
    default:
      console.error(createExecution?.message ?? 'the execution was not created');
      return 1;
  }
  const { id } = createExecution.execution;
  console.log(`Launched ${createExecution.execution.name} (${id}).`);

  for await (const { nodeExecutionEvents: event } of client.watch(
    nodeEvents,
    { id },
    (data) => data.nodeExecutionEvents.id,
  )) {
    console.log(`  ${event.occurredAt}  ${event.nodeId}  ${textOf(event)}`);
  }

  const { execution } = await client.ask(outcome, { id });
  console.log(`${execution?.phase} after ${execution?.duration}`);
  if (execution?.error) console.error(`${execution.error.code}: ${execution.error.message}`);
  console.log(JSON.stringify(execution?.data.outputs));
  return execution?.phase === 'SUCCEEDED' ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SlipwayError ? `${error.code}: ${error.message}` : (error as Error).message);
  process.exitCode = 1;
}
