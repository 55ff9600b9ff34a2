import type { ObjectRef } from '@pothos/core';
import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import type { Registration } from '../commands/store-version.ts';

type Schema = typeof builder.$inferSchemaTypes;
type InputFields = PothosSchemaTypes.InputFieldBuilder<Schema, 'InputObject'>;

export const RegistrationOutcomeEnum = enumOf<Registration<unknown>['outcome']>(
  'RegistrationOutcome',
  'What a registration does. A version with another content is `DifferentStructureError`.',
  {
    NEW: 'The version did not exist. It was registered, or, with `dryRun`, it would be.',
    IDENTICAL:
      'The version exists with the same content. A registration without `dryRun` answers `AlreadyExistsError` instead.',
  },
);

export const dryRunField = (t: InputFields) => ({
  dryRun: t.boolean({
    defaultValue: false,
    description:
      'True: everything is checked, and nothing is stored. The answer says what the registration would do.',
  }),
});

/** The payload of a registration: the version under the name of its noun, and what happened. */
export function registrationPayload<Key extends string, Row extends object>(
  name: `Create${string}Payload`,
  key: Key,
  noun: string,
  type: ObjectRef<Schema, Row>,
) {
  return builder.objectRef<Registration<Row>>(name).implement({
    description: `What a registration of a ${noun} answers when it succeeds.`,
    fields: (t) => ({
      [key]: t.field({
        type: type as ObjectRef<Schema, object>,
        nullable: true,
        description: `The registered version of the ${noun}. Null only with \`dryRun\`, if it does not exist.`,
        resolve: ({ row }) => row,
      }),
      outcome: t.expose('outcome', {
        type: RegistrationOutcomeEnum,
        description: 'What the registration has done, or would do.',
      }),
      digest: t.exposeString('digest', {
        description: 'The SHA-256 of the compiled content, which the version has or would have.',
      }),
    }),
  });
}
