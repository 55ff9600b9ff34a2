/** Answers name what was not found, but a request with one long name must not get it back a hundred times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/platform/errors.ts';
import { type App, startApp } from '../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

describe('the message of an error', () => {
  it.each([
    ['a name of 40,000 characters', `long${'x'.repeat(40_000)}`, 2001],
    ['a name of 200 characters', 'x'.repeat(200), 'project  not found'.length + 200],
  ])('has at most 2000 characters of what a request names: %s', async (_name, project, length) => {
    const aliases = Array.from(
      { length: 30 },
      (_, at) => `p${at}: project(by: { identifier: $project }) { id }`,
    );
    const { errors = [] } = await app.ask(`query ($project: String!) { ${aliases.join(' ')} }`, { project });
    expect(errors).toHaveLength(30);
    for (const { message, extensions } of errors) {
      expect(extensions.code).toBe('NOT_FOUND');
      expect(message).toHaveLength(length);
      expect(message).toContain(project.slice(0, 100));
    }
  });

  it('is as short for each problem of an input', () => {
    const error = InvalidArgumentError.of(['input'], `${'x'.repeat(5000)} is wrong`);
    expect(error.message).toHaveLength(2001);
    expect(error.problems.map(({ message }) => message.length)).toEqual([2001]);
  });
});
