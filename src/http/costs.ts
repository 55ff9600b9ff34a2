import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  parse,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { schema } from '../api/schema.ts';
import { costOf, type Operation } from '../graphql/cost.ts';
import { objectsIn } from '../graphql/execution/complete.ts';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal, withoutStatus } from './answer.ts';
import type { EdgeContext } from './graphql.ts';
import type { Meter } from './rate.ts';

/** The cost in each answer, under `extensions.cost`. A subscription has it in its first result. */
interface CostReport {
  /** The cost that the operation can have; the limit is for this. */
  readonly requested: number;
  /** The cost of what was found, which is charged in the end. Absent if nothing ran, or if it still runs. */
  readonly actual?: number;
  readonly limit: number;
  /** The cost of all operations of the batch together; the limit is for this. */
  readonly batch?: number;
}

/** The cost of a document by its length: nothing up to 2,000 characters, 10,000 for 22,000. */
const textCost = (source: unknown) => Math.floor(Math.max(String(source).length - 2000, 0) ** 2 / 40_000);

/**
 * Limits the cost of one operation, and the cost of one caller over time, for HTTP, Server-Sent Events and WebSocket.
 * This is checked when an operation begins and not in validation, because the results of validation are cached by
 * document, and the next caller may send other variables. A subscription costs as much as one of its events.
 */
export function boundedCosts(): Plugin {
  return {
    onParse: ({ context, params }) => chargeText(params.source, context as unknown as EdgeContext),
    onExecute({ args, context, setResultAndStopExecution: stop }) {
      const bill = billOf(costOfArgs(args), context as unknown as EdgeContext);
      if (bill.refused) return void stop(refusedBill(bill));
      return {
        onExecuteDone({ result, setResult }) {
          if (isAsyncIterable(result)) return;
          const isQuery = getOperationAST(args.document, args.operationName)?.operation === 'query';
          const found = isQuery ? objectsIn(result.data) - 1 : null;
          setResult(settle(bill, result, found, context as unknown as EdgeContext));
        },
      };
    },
    onSubscribe({ args, context, setResultAndStopExecution: stop }) {
      const bill = billOf(costOfArgs(args), context as unknown as EdgeContext);
      if (bill.refused) return void stop(refusedBill(bill));
      let isTold = false;
      return {
        onSubscribeResult: () => ({
          onNext({ result, setResult }) {
            if (isTold) return;
            isTold = true;
            setResult({ ...result, extensions: { ...result.extensions, cost: bill.cost } });
          },
        }),
      };
    },
  };
}

const costOfArgs = ({ document, operationName, variableValues: variables }: ExecutionArgs) =>
  costOf(schema, { document, operationName, variables });

/**
 * A document that is then refused has caused work too. A long one causes more, because the time of validation grows with
 * the square of the length.
 *
 * @throws GraphQLError
 */
export const chargeText = (source: unknown, { meter }: EdgeContext): void => meter.take(1 + textCost(source));

/** What an operation was charged, or why it may not run. */
export interface Bill {
  readonly cost: CostReport;
  readonly refused?: GraphQLError;
}

/** Charges the cost of an operation to its caller, or refuses it. */
export function billOf(requested: number, { meter, isOverHttp }: EdgeContext): Bill {
  const limit = serverConfig.queryCostLimit;
  const cost = { requested, limit, ...(meter.batch === null ? {} : { batch: meter.batch }) };
  try {
    if (requested > limit) throw tooDear('the operation', cost, { spec: true, status: 400 });
    // 1 was already charged when the document was parsed.
    meter.take(requested - 1);
    return { cost };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { cost, refused: isOverHttp ? error : withoutStatus(error) };
  }
}

/** An operation that was charged and may not run: all but its first 1 is given back. */
export function refusedAfter({ cost }: Bill, error: unknown, { meter, isOverHttp }: EdgeContext): Bill {
  if (!(error instanceof GraphQLError)) throw error;
  meter.giveBack(cost.requested - 1);
  return { cost, refused: isOverHttp ? error : withoutStatus(error) };
}

/** The answer to an operation that may not run. */
export const refusedBill = ({ cost, refused }: Bill): ExecutionResult => ({
  ...(refused ? { errors: [refused] } : {}),
  extensions: { cost },
});

/**
 * A page that may have a thousand rows usually has few, so a query is charged only for the objects that it found. The
 * answer of a mutation does not show what it did.
 *
 * @param found  the number of objects in the answer of a query; null for a mutation.
 * @returns the answer, with its cost.
 */
export function settle(
  { cost }: Bill,
  result: ExecutionResult,
  found: number | null,
  { meter }: EdgeContext,
): ExecutionResult {
  const actual = found === null ? cost.requested : Math.min(Math.max(found, 1), cost.requested);
  meter.giveBack(cost.requested - actual);
  return { ...result, extensions: { ...result.extensions, cost: { ...cost, actual } } };
}

/**
 * Charges the texts of a batch, and then the cost of all its operations together, before any of them runs.
 *
 * @throws GraphQLError if the cost is above the limit, or if one of them is a subscription.
 */
export function settleBatch(
  batch: readonly (Omit<Operation, 'document'> & { readonly query: string })[],
  meter: Meter,
): void {
  // Before the texts are parsed.
  meter.take(batch.reduce((sum, { query }) => sum + textCost(query), 0));
  let requested = 0;
  for (const { query, ...operation } of batch) {
    const document = parsed(query);
    // A text that is not GraphQL is refused later, with its own error.
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
