/** Errors as callers see them: with a code and a place, and without what is not for them. */
import { GraphQLError, type GraphQLObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { shownError } from '../../src/graphql/errors.ts';
import { InvalidArgumentError, NotFoundError } from '../../src/platform/errors.ts';

const notFound = new NotFoundError('project', 'x');
const wrong = InvalidArgumentError.of(['input', 'name'], 'wrong');
const shown = (error: unknown) => {
  const { message, extensions } = shownError(error);
  return { message, extensions };
};

describe('an error', () => {
  it('of ours has its code, and the path of the argument if it is about one', () => {
    expect(shown(notFound)).toEqual({ message: 'project x not found', extensions: { code: 'NOT_FOUND' } });
    expect(shown(wrong)).toEqual({
      message: 'wrong',
      extensions: { code: 'INVALID_ARGUMENT', path: ['input', 'name'] },
    });
  });

  it('that is not ours is INTERNAL, without details', () => {
    const internal = { message: 'something went wrong', extensions: { code: 'INTERNAL' } };
    for (const error of [new Error('select secret'), 'secret', undefined, new TypeError('secret')]) {
      expect(shown(error)).toEqual(internal);
      const located = new GraphQLError('secret', { originalError: new Error('secret') });
      expect(shown(located)).toEqual(internal);
    }
  });

  it('is UNAVAILABLE if the database is lost', () => {
    expect(shown(Object.assign(new Error('secret'), { code: 'ECONNREFUSED' })).extensions).toEqual({
      code: 'UNAVAILABLE',
    });
  });

  it('keeps the places that GraphQL has added, however often', () => {
    const { definitions } = parse('{ project }');
    const inner = new GraphQLError('inner', { originalError: notFound });
    const outer = new GraphQLError('outer', { nodes: definitions, path: ['project'], originalError: inner });
    expect(shownError(outer)).toMatchObject({
      ...{ message: 'project x not found', path: ['project'], nodes: definitions },
      extensions: { code: 'NOT_FOUND' },
    });
  });

  it('of a document stays as it is, with its line and column', () => {
    const fault = () => {
      try {
        return parse('{ a\n  (');
      } catch (error) {
        return error;
      }
    };
    const error = fault();
    expect(shownError(error)).toBe(error);
    expect(shownError(error).locations).toEqual([{ line: 2, column: 4 }]);
  });
});

describe('the path of an error in a result', () => {
  it.each([
    [notFound, null],
    [wrong, ['input', 'name']],
  ])('is that of its argument, or null: %s', (error, path) => {
    const type = schema.getType(error.constructor.name) as GraphQLObjectType;
    expect(type.getFields()['path']?.resolve?.(error, {}, {}, {} as never)).toEqual(path);
  });
});
