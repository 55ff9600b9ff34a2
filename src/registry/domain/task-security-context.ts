import type { RunAs, SecretReference, SecurityContext } from '../../attributes/domain/payloads.ts';
import type { JsonObject } from '../../values/json.ts';
import { choice, defaulting, fields, jsonObject, list, optional, text } from '../../values/readers.ts';

/** A security context with the parts of Flyte's that nothing here uses yet. Source: Flyte's `security.proto`. */
export interface TaskSecurityContext extends SecurityContext {
  readonly runAs?: RunAs & { readonly oauth2Client?: JsonObject };
  readonly secrets?: readonly (SecretReference & { readonly envVar?: string })[];
  readonly tokens?: readonly JsonObject[];
}

type Identity = NonNullable<TaskSecurityContext['runAs']>;
type Secret = NonNullable<TaskSecurityContext['secrets']>[number];

export const taskSecurityContext = fields<TaskSecurityContext>({
  runAs: optional(
    fields<Identity>({
      iamRole: optional(text),
      k8sServiceAccount: optional(text),
      executionIdentity: optional(text),
      oauth2Client: optional(jsonObject),
    }),
  ),
  secrets: optional(
    list(
      fields<Secret>({
        group: defaulting(text, ''),
        groupVersion: optional(text),
        key: optional(text),
        mountRequirement: defaulting(choice('ANY', 'ENV_VAR', 'FILE'), 'ANY'),
        envVar: optional(text),
      }),
    ),
  ),
  tokens: optional(list(jsonObject)),
});
