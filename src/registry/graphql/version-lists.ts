import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { type FilterTerm, parseFilters } from '../../platform/flyte-filters.ts';
import type { VersionOrder } from '../store/version-lists.ts';

type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;

/** The conditions that the lists of tasks, workflows and launch plans share. */
export const versionConditions = (t: InputFields) => ({
  project: t.string({ required: true, description: 'Only versions in the project with this identifier.' }),
  domain: t.string({ required: true, description: 'Only versions in this domain.' }),
  name: t.string({ description: 'Only versions with this name.' }),
  nameContains: t.string({
    description: 'Only versions whose name contains this text. Capitals and small letters are different.',
  }),
  createdAfter: t.field({
    type: 'DateTime',
    description: 'Only versions that were registered at this time or later.',
  }),
  createdBefore: t.field({
    type: 'DateTime',
    description: 'Only versions that were registered before this time.',
  }),
});

const VersionOrderEnum = enumOf<VersionOrder>(
  'VersionOrder',
  'How a list of versions is sorted. Texts are compared byte by byte; where they are equal, the last registered version comes first, or last if the order is descending.',
  {
    NEWEST: 'By time of registration, newest first.',
    OLDEST: 'By time of registration, oldest first.',
    NAME: 'By name, ascending.',
    NAME_DESCENDING: 'By name, descending.',
    VERSION: 'By the text of the version, ascending.',
    VERSION_DESCENDING: 'By the text of the version, descending.',
  },
);

export const orderArgument = builder.args((t) => ({
  orderBy: t.field({
    type: VersionOrderEnum,
    defaultValue: 'NEWEST',
    description: 'How to sort the list.',
  }),
}));

/** The terms of the argument `filters`. @throws InvalidArgumentError */
export const termsOf = ({ filters }: { readonly filters?: string | null | undefined }): FilterTerm[] =>
  parseFilters(filters ?? '');
