import type {
  OAuth2ClientReference,
  OAuth2TokenRequest,
  RunAs,
  SecretReference,
  SecurityContext,
} from '../../attributes/domain/payloads.ts';
import { choice, defaulting, fields, list, optional, required, text } from '../../values/readers.ts';

const secret = fields<SecretReference>({
  group: defaulting(text, ''),
  groupVersion: optional(text),
  key: optional(text),
  mountRequirement: defaulting(choice('ANY', 'ENV_VAR', 'FILE'), 'ANY'),
  envVar: optional(text),
});

const client = fields<OAuth2ClientReference>({
  clientId: required(text),
  clientSecret: optional(secret),
});

/** The form of a security context. Source: Flyte v1.16, `flyteidl/core/security.proto`. */
export const securityContext = fields<SecurityContext>({
  runAs: optional(
    fields<RunAs>({
      iamRole: optional(text),
      k8sServiceAccount: optional(text),
      oauth2Client: optional(client),
      executionIdentity: optional(text),
    }),
  ),
  secrets: optional(list(secret)),
  tokens: optional(
    list(
      fields<OAuth2TokenRequest>({
        name: required(text),
        type: defaulting(choice('CLIENT_CREDENTIALS'), 'CLIENT_CREDENTIALS'),
        client: optional(client),
        idpDiscoveryEndpoint: optional(text),
        tokenEndpoint: optional(text),
      }),
    ),
  ),
});
