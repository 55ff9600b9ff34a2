/** One mutation by its field's name: its payload, or how it was refused. */
import { schema } from '../../src/api/schema.ts';
import type { Answer, App } from './app.ts';

const upper = (field: string) => `${field.charAt(0).toUpperCase()}${field.slice(1)}`;

/**
 * @returns what the result union holds; for a refusal by the rules `{ refused: code }`. Errors of the union have `code`,
 * `path` and `problems`.
 */
export async function mutate(
  app: App,
  field: string,
  input: object,
  selected = '',
  authorization?: string,
): Promise<Answer> {
  const type = upper(field);
  const inputType = schema.getMutationType()?.getFields()[field]?.args[0]?.type;
  const { data, errors } = await app.ask(
    `mutation ($input: ${inputType}) {
       ${field}(input: $input) {
         __typename ${selected && `... on ${type}Payload { ${selected} }`}
         ... on Error { code message path ... on InvalidArgumentError { problems { path code } } }
       }
     }`,
    { input },
    authorization,
  );
  if (errors) return { refused: errors[0]?.extensions.code, message: errors[0]?.message };
  return data[field];
}

/** How it ended, in one word: `OK`, or the code of the refusal wherever it stood. */
export const endOf = (answer: Answer): string => answer.refused ?? answer.code ?? 'OK';
