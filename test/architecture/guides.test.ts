import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const schema = buildSchema(read('schema.graphql'));

describe('the guides', () => {
  it.each(['README.md', 'ACCESS.md'])('show only operations that the schema accepts: %s', (guide) => {
    const operations = [...read(guide).matchAll(/```graphql\n([\s\S]+?)```/g)].map(([, text = '']) => text);
    expect(operations.length).toBeGreaterThan(2);
    for (const operation of operations) expect(validate(schema, parse(operation)), operation).toEqual([]);
  });
});
