import { writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from './schema.ts';

/**
 * `npm run generate` runs this. It writes the schema in sorted order, so that a change of the schema is easy to review.
 */
const [, , file = 'schema.graphql'] = process.argv;
writeFileSync(file, `${printSchema(lexicographicSortSchema(schema))}\n`);
process.exit(0);
