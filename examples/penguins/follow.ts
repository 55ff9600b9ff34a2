/** Watches an execution and reads its result. */
import type { SlipwayClient } from './client.ts';

/** A phase change of a node, with `phase`, or of one of its attempts, with `taskPhase`. */
export interface NodeEvent {
  readonly id: string;
  readonly nodeId: string;
  readonly phase?: string;
  readonly taskPhase?: string;
  /** The number of the attempt, from 0. */
  readonly attempt?: number;
  readonly occurredAt: string;
}

const NODE_EVENTS = /* GraphQL */ `
  subscription ($id: ID!, $after: ID) {
    event: nodeExecutionEvents(by: { id: $id }, after: $after) {
      id
      nodeId
      occurredAt
      ... on NodePhaseEvent { phase }
      ... on TaskPhaseEvent { attempt taskPhase }
    }
  }
`;

export interface WorkError {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
}

export interface Outcome {
  readonly phase: string;
  readonly error: WorkError | null;
  /** The node whose failure made the execution fail. */
  readonly errorNodeId: string | null;
  readonly data: {
    readonly outputs: Readonly<Record<string, unknown>>;
    readonly files: readonly { readonly uri: string; readonly downloadUrl: string }[];
  };
}

const OUTCOME = /* GraphQL */ `
  query ($id: ID!) {
    execution(by: { id: $id }) {
      phase
      error { kind code message }
      errorNodeId
      data { outputs files { uri downloadUrl } }
    }
  }
`;

export async function readOutcome(client: SlipwayClient, id: string): Promise<Outcome> {
  return (await client.ask<{ execution: Outcome }>(OUTCOME, { id })).execution;
}

const endPhases = ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'];

/** All phase changes of the nodes of the execution, from the first one until the execution has ended. */
export function nodeEvents(client: SlipwayClient, id: string): AsyncGenerator<NodeEvent> {
  return client.watch<NodeEvent>(NODE_EVENTS, { id }, async () =>
    endPhases.includes((await readOutcome(client, id)).phase),
  );
}

/** The text of a file among the outputs. */
export async function readFile({ data }: Outcome, uri: unknown): Promise<string> {
  const file = data.files.find((one) => one.uri === uri);
  if (!file) throw new Error(`${uri} is not a file of the execution`);
  const response = await fetch(file.downloadUrl);
  if (!response.ok) throw new Error(`the download failed with status ${response.status}`);
  return await response.text();
}

export interface Attempt {
  /** The number of the attempt, from 0. */
  readonly retryAttempt: number;
  readonly phase: string;
  readonly error: WorkError | null;
  /** The output of the attempt. */
  readonly log: string;
}

/** The key of a node of an execution. */
export interface NodeKey {
  readonly project: string;
  readonly domain: string;
  /** The name of the execution. */
  readonly execution: string;
  readonly nodeId: string;
}

const ATTEMPTS = /* GraphQL */ `
  query ($key: NodeExecutionKeyInput!) {
    nodeExecution(by: { key: $key }) {
      taskExecutions(first: 20) {
        edges {
          node {
            retryAttempt
            phase
            error { kind code message }
            job { runs { log(first: 1000) { text } } }
          }
        }
      }
    }
  }
`;

interface TaskExecution extends Omit<Attempt, 'log'> {
  /** The runs of a job are its leases, newest first. There are several if an executor was lost. */
  readonly job: { readonly runs: readonly { readonly log: readonly { readonly text: string }[] }[] } | null;
}

/** The attempts of a node, oldest first. */
export async function readAttempts(client: SlipwayClient, key: NodeKey): Promise<Attempt[]> {
  type Answer = { nodeExecution: { taskExecutions: { edges: readonly { node: TaskExecution }[] } } };
  const { nodeExecution } = await client.ask<Answer>(ATTEMPTS, { key });
  const attempts = nodeExecution.taskExecutions.edges.map(({ node: { job, ...attempt } }) => ({
    ...attempt,
    log: (job?.runs[0]?.log ?? []).map((chunk) => chunk.text).join(''),
  }));
  return attempts.sort((one, other) => one.retryAttempt - other.retryAttempt);
}
