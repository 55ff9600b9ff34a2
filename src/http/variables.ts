import { type ExecutionArgs, type GraphQLError, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { schema } from '../api/schema.ts';
import { variableFault } from '../graphql/variables.ts';
import type { EdgeContext } from './graphql.ts';

/** Refuses wrong variables at the first fault, before GraphQL's own check reads all of them. */
export function fittingVariables(): Plugin {
  return {
    onExecute({ args, context, setResultAndStopExecution: stop }) {
      const fault = faultOf(args, context);
      if (fault) stop({ errors: [fault] });
    },
    onSubscribe({ args, context, setResultAndStopExecution: stop }) {
      const fault = faultOf(args, context);
      if (fault) stop({ errors: [fault] });
    },
  };
}

function faultOf(
  { document, operationName, variableValues }: ExecutionArgs,
  context: unknown,
): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  const suggests = (context as EdgeContext).caller !== null;
  return operation ? variableFault(schema, operation, variableValues ?? {}, { suggests }) : null;
}
