import { type DocumentNode, type ExecutionArgs, GraphQLError, getOperationAST, parse } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { schema } from '../api/schema.ts';
import { costOf, type Operation } from '../graphql/cost.ts';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal, withoutStatus } from './answer.ts';
import type { EdgeContext } from './graphql.ts';
import type { Meter } from './rate.ts';

/** What each answer tells of its cost, under `extensions.cost`. A subscription tells it with its first result. */
interface CostReport {
  /** What it may cost, which is bounded. */
  readonly requested: number;
  /** What the answer came to, which is what is taken of the caller's rate. Absent where nothing ran, or runs on. */
  readonly actual?: number;
  readonly limit: number;
  /** Of all operations of the batch together, which the limit is for. */
  readonly batch?: number;
}

/** What a document's text costs by itself: nothing up to 2,000 characters, 10,000 for 22,000. */
const textCost = (source: unknown) => Math.floor(Math.max(String(source).length - 2000, 0) ** 2 / 40_000);

/**
 * Bounds what one operation may cost, and how much one caller may ask for in a time; over HTTP, Server-Sent Events and
 * WebSocket alike. Decided when an operation begins and never in validation, whose verdicts are kept by document: the
 * next caller may send other variables. A subscription costs what one event costs.
 */
export function boundedCosts(): Plugin {
  return {
    // Also a document that is then refused is work, and a long one is more: validation grows with its square.
    onParse: ({ context, params }) => meterOf(context).take(1 + textCost(params.source)),
    onExecute({ args, context, setResultAndStopExecution: stop }) {
      const { cost, refused } = billed(args, context);
      if (refused) return void stop({ errors: [refused], extensions: { cost } });
      return {
        onExecuteDone({ result, setResult }) {
          if (isAsyncIterable(result)) return;
          const actual = actualCost(args, result.data, cost.requested);
          meterOf(context).giveBack(cost.requested - actual);
          setResult({ ...result, extensions: { ...result.extensions, cost: { ...cost, actual } } });
        },
      };
    },
    onSubscribe({ args, context, setResultAndStopExecution: stop }) {
      const { cost, refused } = billed(args, context);
      if (refused) return void stop({ errors: [refused], extensions: { cost } });
      let isTold = false;
      return {
        onSubscribeResult: () => ({
          onNext({ result, setResult }) {
            if (isTold) return;
            isTold = true;
            setResult({ ...result, extensions: { ...result.extensions, cost } });
          },
        }),
      };
    },
  };
}

/** What an operation costs, taken from its caller's bucket; or why it may not run. */
function billed(args: ExecutionArgs, context: unknown): { cost: CostReport; refused?: GraphQLError } {
  const meter = meterOf(context);
  const { document, operationName, variableValues: variables } = args;
  const requested = costOf(schema, { document, operationName, variables });
  const cost = {
    requested,
    limit: serverConfig.queryCostLimit,
    ...(meter.batch === null ? {} : { batch: meter.batch }),
  };
  try {
    if (requested > serverConfig.queryCostLimit)
      throw tooDear('the operation', cost, { spec: true, status: 400 });
    // 1 was taken when it was parsed.
    meter.take(requested - 1);
    return { cost };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { cost, refused: isOverHttp(context) ? error : withoutStatus(error) };
  }
}

/**
 * A page that may have a thousand rows mostly has few: of a query only the objects that were found stay taken. What a
 * mutation did cannot be told from its answer.
 */
function actualCost({ document, operationName }: ExecutionArgs, data: unknown, requested: number): number {
  if (getOperationAST(document, operationName)?.operation !== 'query') return requested;
  return Math.min(Math.max(objectsIn(data) - 1, 1), requested);
}

/** As the estimate counts them, except that what has another name by an alias, or stands inside JSON, counts as well. */
function objectsIn(value: unknown, key = ''): number {
  if (value === null || typeof value !== 'object') return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + objectsIn(one, key), 0);
  const own = key === 'edges' || key === 'pageInfo' ? 0 : 1;
  return Object.entries(value).reduce((sum, [name, one]) => sum + objectsIn(one, name), own);
}

/**
 * Takes what all operations of a batch cost together, before any of them runs.
 *
 * @throws GraphQLError when it is too much, or when one of them is a subscription.
 */
export function settleBatch(
  batch: readonly (Omit<Operation, 'document'> & { readonly query: string })[],
  meter: Meter,
): void {
  let requested = 0;
  for (const { query, ...operation } of batch) {
    const document = parsed(query);
    // What is no GraphQL is refused in its turn.
    if (document && getOperationAST(document, operation.operationName)?.operation === 'subscription')
      throw refusal('INVALID_ARGUMENT', 'a batch must not contain subscriptions');
    requested += document ? costOf(schema, { document, ...operation }) : 1;
  }
  const cost = { requested, limit: serverConfig.queryCostLimit };
  if (requested > serverConfig.queryCostLimit) throw tooDear('the batch', cost, { status: 400 });
  meter.takeBatch(requested);
}

function parsed(query: string): DocumentNode | null {
  try {
    return parse(query, { noLocation: true, maxTokens: serverConfig.queryTokenLimit });
  } catch {
    return null;
  }
}

function tooDear(what: string, cost: CostReport, http: object): GraphQLError {
  limitRefusals.inc({ limit: 'cost' });
  return new GraphQLError(
    `${what} can cost ${cost.requested}, more than the limit of ${cost.limit}; ask for fewer rows at each level`,
    { extensions: { code: 'RESOURCE_EXHAUSTED', cost, http } },
  );
}

const meterOf = (context: unknown): Meter => (context as EdgeContext).meter;

const isOverHttp = (context: unknown): boolean =>
  (context as { readonly request?: unknown }).request !== undefined;
