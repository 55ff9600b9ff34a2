/** What a mutation answers, by its field's name. */
import { expect } from 'vitest';
import type { Answer, App, GraphQLAnswer } from './app.ts';

/**
 * Sends a mutation with its one `input`.
 *
 * @param selected  of its payload.
 * @returns what the result union holds: the payload, or an error with `code`, `message`, `path` and `problems`. Where the
 * call was refused at the top, `{ refused, code, message, path }`.
 */
export async function mutate(
  app: Pick<App, 'ask'>,
  field: string,
  input: object,
  selected = '',
  authorization?: string | null,
): Promise<Answer> {
  const name = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  const answer = await app.ask(
    `mutation ($input: ${name}Input!) {
       ${field}(input: $input) {
         __typename ${selected && `... on ${name}Payload { ${selected} }`}
         ... on Error {
           code message path ... on InvalidArgumentError { problems { path code message } }
           ... on AlreadyExistsError { existingId }
           ... on DifferentStructureError { existingId differences { path oldValue newValue } }
         }
       }
     }`,
    { input },
    authorization,
  );
  return answerOf(answer);
}

/** Makes an object with a mutation, and fails the test where it is refused. @returns its id. */
export async function make(
  app: Pick<App, 'ask'>,
  field: string,
  input: object,
  noun: string,
  authorization?: string,
): Promise<string> {
  const answer = await mutate(app, field, input, `${noun} { id }`, authorization);
  expect(answer, `${field} answered ${JSON.stringify(answer)}`).toMatchObject({
    [noun]: { id: expect.any(String) },
  });
  return answer[noun].id;
}

/** The answer of the one field that was asked; where there is none, how it was refused. */
export function answerOf({ data, errors }: Pick<GraphQLAnswer, 'data' | 'errors'>): Answer {
  const [answer] = Object.values((data ?? {}) as object);
  const [error] = errors ?? [];
  if (answer != null || !error) return answer;
  const { code } = error.extensions;
  return { refused: code, code, message: error.message, path: error.path };
}

/** How one field ended, in one word: `OK`, or the code of the refusal wherever it stood. */
export function endOf(answer: GraphQLAnswer | { readonly code?: string } | null | undefined): string {
  const told = answer && 'headers' in answer ? answerOf(answer) : answer;
  return told?.code ?? 'OK';
}
