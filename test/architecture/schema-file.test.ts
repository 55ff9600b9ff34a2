import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';

it('schema.graphql is the schema of the server; `npm run generate` writes it', () => {
  const file = join(import.meta.dirname, '../../schema.graphql');
  // Not toBe, which would print both.
  const isSame = readFileSync(file, 'utf8') === `${printSchema(lexicographicSortSchema(schema))}\n`;
  expect(isSame).toBe(true);
});
