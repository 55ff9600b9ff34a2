/** Plans (src/graphql/execution) do not make the `info` of a call for resolvers that have no parameter for it. */
import { isObjectType } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';

/** The parameters that a function is written with. Its `length` does not count those with defaults or `...`. */
function parametersOf(code: string): string[] {
  const text = code.replaceAll(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '');
  const single = /^(?:async )?([\w$]+)\s*=>/.exec(text);
  if (single) return [single[1] as string];
  const parameters: string[] = [];
  let depth = 0;
  let from = text.indexOf('(') + 1;
  for (let at = from - 1; at < text.length; at += 1) {
    const letter = text[at] as string;
    if ('([{'.includes(letter)) depth += 1;
    if (')]}'.includes(letter)) depth -= 1;
    if ((letter === ',' && depth === 1) || depth === 0) {
      parameters.push(text.slice(from, at).trim());
      from = at + 1;
    }
    if (depth === 0) break;
  }
  return parameters.filter((parameter) => parameter !== '');
}

it('finds parameters that a function hides from its length', () => {
  expect(parametersOf('(a, { b, c = 1 }, d) => a')).toEqual(['a', '{ b, c = 1 }', 'd']);
  expect(parametersOf('async one => one')).toEqual(['one']);
  expect(parametersOf('function f(a, ...rest) {}')).toEqual(['a', '...rest']);
  expect(parametersOf('() => 1')).toEqual([]);
});

it('no resolver hides parameters', () => {
  const hidden = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields()).filter(({ resolve }) => {
        if (!resolve || resolve.length === 0 || resolve.length > 3) return false;
        const text = String(resolve);
        return parametersOf(text).length !== resolve.length || /\barguments\b/.test(text);
      }),
    );
  expect(hidden.map(({ name, resolve }) => `${name}: ${resolve}`)).toEqual([]);
});
