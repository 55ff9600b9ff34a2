import {
  type DefinitionNode,
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLErrorExtensions,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
  validate,
} from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { rules } from '../api/schema.ts';
import { anyone } from '../graphql/rules.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { EdgeContext } from './graphql.ts';

/**
 * Refuses operations of callers who are not signed in if no field of the operation is open to them. This happens before
 * their document is validated and before their variables are checked, because both may be large. Documents with
 * something open to them are validated, and the errors suggest no names of the schema.
 */
export function refusedStrangers(): Plugin {
  return {
    onValidate({ params, context, addValidationRule, setValidationFn }) {
      const edge = context as unknown as EdgeContext & { readonly params?: GraphQLParams };
      if (edge.caller) return;
      const { operationName } = edge.params ?? {};
      const refused = vainRequest(params.documentAST, operationName);
      // The results of validation are cached by the names of the rules, so each case needs a rule of its own.
      addValidationRule(refused ? RefusedStrangersRule : StrangersRule);
      setValidationFn((schema, document, rules) =>
        refused ? [refused] : validate(schema, document, rules, { hideSuggestions: true }),
      );
    },
  };
}

const RefusedStrangersRule: ValidationRule = () => ({});
const StrangersRule: ValidationRule = () => ({});

const tables = { query: rules.Query, mutation: rules.Mutation, subscription: rules.Subscription };

/** Why a stranger gets nothing from a document that was not validated; null if something in it is open to strangers. */
function vainRequest(document: DocumentNode, operationName: string | null | undefined): GraphQLError | null {
  const chosen = getOperationAST(document, operationName);
  const operations = chosen ? [chosen] : document.definitions.filter(isOperation);
  if (operations.length === 0) return null;
  const fields = operations.flatMap((operation) => {
    const table = tables[operation.operation];
    return rootFields(operation, document).map((name) => ({ name, isOpen: table[name] === anyone }));
  });
  if (fields.some(({ name }) => name === '__schema' || name === '__type'))
    return signInFirst('sign in to introspect');
  return fields.some(({ name, isOpen }) => isOpen || name === '__typename') ? null : signInFirst();
}

/** Whether an answer says only that its caller must sign in first. */
export const isSignInFirst = ({ data, errors = [] }: ExecutionResult): boolean =>
  data === undefined && errors.length > 0 && errors.every(({ extensions }) => statusOf(extensions) === 401);

const statusOf = ({ http }: GraphQLErrorExtensions): unknown =>
  (http as { readonly status?: number } | undefined)?.status;

/** With the status 401 for all content types; otherwise, it would have the status of documents that are not valid. */
function signInFirst(message = new UnauthenticatedError().message): GraphQLError {
  const http = { status: 401, spec: false };
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http } });
}

const isOperation = (node: DefinitionNode): node is OperationDefinitionNode =>
  node.kind === Kind.OPERATION_DEFINITION;

/** The names of the fields of the root type that an operation selects. Each fragment is read once. */
function rootFields({ selectionSet }: OperationDefinitionNode, { definitions }: DocumentNode): string[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const namesIn = ({ selections }: SelectionSetNode): string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value];
      if (selection.kind === Kind.INLINE_FRAGMENT) return namesIn(selection.selectionSet);
      const fragment = fragments.get(selection.name.value);
      fragments.delete(selection.name.value);
      return fragment ? namesIn(fragment.selectionSet) : [];
    });
  return namesIn(selectionSet);
}
