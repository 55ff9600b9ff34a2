import { always, given, listOf, message, unless } from './form.ts';

/** Source: Flyte v1.16, `flyteidl/core/security.proto`. */

const secret = message({
  group: always(''),
  groupVersion: unless(''),
  key: unless(''),
  mountRequirement: always('ANY'),
  envVar: unless(''),
});

const client = message({ clientId: always(''), clientSecret: given(secret) });

export const securityContext = message({
  runAs: unless(
    {},
    message({
      iamRole: unless(''),
      k8sServiceAccount: unless(''),
      oauth2Client: given(client),
      executionIdentity: unless(''),
    }),
  ),
  secrets: unless([], listOf(secret)),
  tokens: unless(
    [],
    listOf(
      message({
        name: always(''),
        type: always('CLIENT_CREDENTIALS'),
        client: given(client),
        idpDiscoveryEndpoint: unless(''),
        tokenEndpoint: unless(''),
      }),
    ),
  ),
});
