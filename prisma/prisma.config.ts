import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

// `prisma generate`, `validate` and `format` never start the schema engine, yet the CLI insists on having one and
// would download it. Any existing file satisfies it: this one, so that they run without a network. Nobody needs the
// commands that do start it: `npm run db:migrate` writes migrations, the server applies them. An operator who would
// rather run `prisma migrate deploy` may, where Prisma can download its engine.
if (['generate', 'validate', 'format'].includes(process.argv[2] ?? '')) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= fileURLToPath(import.meta.url);
}
// Nor does it ask the network for a newer version.
process.env['CHECKPOINT_DISABLE'] ??= '1';

export default defineConfig({
  schema: 'schema',
  migrations: { path: 'migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
