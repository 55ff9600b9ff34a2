import { type ExecutionResult, execute, GraphQLError, getVariableValues } from 'graphql';
import { schema } from '../api/schema.ts';
import type { Context } from '../graphql/context.ts';
import { objectsIn } from '../graphql/execution/complete.ts';
import { type PlannedResult, Run } from '../graphql/execution/run.ts';
import { variableFault } from '../graphql/variables.ts';
import { type Bill, billOf, refusedAfter, refusedBill, settle } from './costs.ts';
import { type EdgeContext, maskAndLog } from './graphql.ts';
import type { KnownOperation } from './known-documents.ts';
import { measureOperation } from './metrics.ts';
import { LONG_OPERATION_COST, turns } from './turns.ts';
import { unreadAnswers } from './unread-answers.ts';

type Variables = Readonly<Record<string, unknown>>;

/**
 * Runs a query or a mutation: charges it, checks its variables, executes its plan, and masks its errors. These are the
 * steps of the plugins in graphql.ts, in the same order.
 */
export async function executeOperation(
  operation: KnownOperation,
  given: Variables | null | undefined,
  context: EdgeContext & Context,
): Promise<ExecutionResult> {
  const measured = measureOperation(operation.type);
  const charged = billOf(operation.costWith(given), context);
  const isLong = context.isLong || charged.cost.requested >= LONG_OPERATION_COST;
  const result = isLong && !charged.refused ? await inTurn() : await answerTo(charged);
  measured(result);
  return masked(result);

  async function inTurn(): Promise<ExecutionResult> {
    let end = () => {};
    try {
      const { owner, payer } = context.meter;
      if (context.isLong) await turns.goOn();
      else if (operation.type === 'query') end = await turns.beginQuery(owner);
      else await turns.begin(owner);
      // There was room when the operation arrived, but the operations before it may have filled it.
      unreadAnswers.requireRoom(payer);
    } catch (error) {
      end();
      return refusedBill(refusedAfter(charged, error, context));
    }
    return await answerTo(charged).finally(end);
  }

  async function answerTo(bill: Bill): Promise<ExecutionResult> {
    if (bill.refused) return refusedBill(bill);
    const { objects, ...answer } = await executed(operation, given ?? {}, context);
    // The caller of this function makes JSON of the answer as soon as it has it.
    if (objects >= LONG_OPERATION_COST) await turns.goOn();
    return settle(bill, answer, operation.type === 'query' ? objects : null, context);
  }
}

async function executed(
  operation: KnownOperation,
  given: Variables,
  context: EdgeContext & Context,
): Promise<PlannedResult | (ExecutionResult & { readonly objects: number })> {
  const variables = variablesOf(operation, given, context);
  if (variables instanceof GraphQLError) return { errors: [variables], objects: 0 };
  const plan = operation.planFor(variables);
  if (plan) return await new Run(plan, context, variables).result();
  const { document, node } = operation;
  const result = await execute({
    ...{ schema, document, contextValue: context, variableValues: given },
    operationName: node.name?.value,
  });
  return { ...result, objects: objectsIn(result.data) - 1 };
}

const noVariables: Variables = Object.freeze({});

/** The variables as GraphQL coerces them, or the first fault in them. */
function variablesOf(
  { node }: KnownOperation,
  given: Variables,
  { caller }: Context,
): Variables | GraphQLError {
  if (!node.variableDefinitions?.length) return noVariables;
  const fault = variableFault(schema, node, given, { suggests: caller !== null });
  if (fault) return fault;
  const { coerced, errors } = getVariableValues(schema, node.variableDefinitions, given, { maxErrors: 1 });
  return coerced ?? (errors?.[0] as GraphQLError);
}

function masked(result: ExecutionResult): ExecutionResult {
  return result.errors ? { ...result, errors: result.errors.map(maskAndLog) } : result;
}
