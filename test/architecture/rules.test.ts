import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireRules } from '../../src/api/permissions.ts';
import { rules, schema } from '../../src/api/schema.ts';
import { type App, startApp } from '../support/app.ts';
import { documentFor, rootFields } from '../support/root-fields.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** Root fields that answer everybody, even without a sign-in. Adding one needs a decision. */
const openToEveryone: readonly string[] = ['fixedUsersMode', 'oauth2Metadata', 'publicClientConfig'];

describe('every root field', () => {
  it('has a rule', () => {
    expect(() => requireRules(schema, rules)).not.toThrow();
    expect(rootFields.length).toBeGreaterThan(35);
  });

  it('needs a rule, and every rule needs a field', () => {
    const { viewer: _viewer, ...others } = rules.Query;
    expect(() => requireRules(schema, { ...rules, Query: others })).toThrow('Query.viewer');
    const extra = { ...rules.Query, ghost: rules.Query['viewer'] as never };
    expect(() => requireRules(schema, { ...rules, Query: extra })).toThrow('Query.ghost');
  });

  it.each(rootFields.filter(({ name }) => !openToEveryone.includes(name)))(
    'gives a stranger nothing: $operation $name',
    async (root) => {
      const { document, variables } = documentFor(root);
      const accept = root.operation === 'subscription' ? 'text/event-stream' : 'application/json';
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query: document, variables }),
      });
      const text = await response.text();
      expect(text).toContain('UNAUTHENTICATED');
      expect(text).not.toContain('__typename');
    },
  );
});
