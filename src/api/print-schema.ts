import { writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from './schema.ts';

/** Run by `npm run generate`: writes the schema, sorted, so that its difference is the review of a change. */
const [, , file = 'schema.graphql'] = process.argv;
writeFileSync(file, `${printSchema(lexicographicSortSchema(schema))}\n`);
process.exit(0);
