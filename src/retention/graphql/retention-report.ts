import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { getRetentionReport, type TableReport } from '../commands/get-retention-report.ts';
import type { KeptHow } from '../domain/tables.ts';

const KeptHowEnum = enumOf<KeptHow>('TableRetention', 'How long the rows of a table are kept.', {
  FOR_EVER: 'Until somebody deletes or replaces them.',
  WITH_OWNER: 'As long as the object that they belong to.',
  SWEPT: 'The server deletes them by itself when nobody needs them any more.',
  BY_POLICY: 'As the retention policies of projects and domains say.',
});

const TableReportType = builder.objectRef<TableReport>('TableReport').implement({
  description: 'One table of the database: how large it is, and how long its rows are kept.',
  fields: (t) => ({
    table: t.exposeString('table', { description: 'The name of the table.' }),
    kept: t.expose('kept', { type: KeptHowEnum, description: 'How long its rows are kept.' }),
    rule: t.exposeString('rule', { description: 'The same in words, with the reason.' }),
    rows: t.expose('rows', {
      type: 'BigInt',
      description: 'How many rows it has, as PostgreSQL estimates it from time to time.',
    }),
    bytes: t.expose('bytes', {
      type: 'BigInt',
      description: 'How much space it takes, with its indexes and large values.',
    }),
    oldestAt: t.expose('oldestAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When its oldest row was created, or the object that this row belongs to. Null if there is none, or if the ids do not say it.',
    }),
    nextSweepAt: t.expose('nextSweepAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the scheduler next looks for rows to delete. Only `executions` (if there are policies) and `execution_remains` (if it has rows) have this.',
    }),
    lastDeletedAt: t.expose('lastDeletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a policy last deleted something. Only `executions` has this.',
    }),
  }),
});

builder.queryField('retentionReport', (t) =>
  t.field({
    type: [TableReportType],
    extensions: { listSize: 60 },
    description:
      'How large the tables of the database are and how long their rows are kept, the largest table first. The sizes are those of all tenants together. Requires an administrator of the first tenant, which belongs to the operator of the server.',
    resolve: (_root, _args, context) => getRetentionReport(callerOf(context)),
  }),
);
