import type { AllowedDifference } from './compare.ts';

/** In what this server differs from ORY Hydra v2.3.0 on purpose. Each must occur, so that the list stays true. */
export const hydraDifferences: readonly AllowedDifference[] = [
  {
    reason: 'the texts of errors are our own, with a status_code and a hint, as Hydra 1 has them',
    places: /^body\.(error|error_description|error_hint|status_code)$/,
  },
  {
    reason: 'answers are never stored; Hydra says it in more words',
    places: /^headers\.cache-control$/,
  },
  {
    reason: 'Hydra 26 has lifespans of the device grant, Hydra 2.3 has not',
    places: /device_authorization_grant_\w+_lifespan$/,
    values: [undefined, null],
  },
  {
    reason: 'clients that are made by an administrator cannot manage themselves',
    places: /^body\.registration_(access_token|client_uri)$/,
  },
  {
    reason: 'an empty list is [], also in the answer that creates a client',
    places: /\.(redirect_uris|contacts)$/,
    values: [null, '[]'],
  },
  {
    reason: 'the defaults of RFC 7591 are shown; Hydra keeps them to itself',
    places: /\.(grant_types|response_types)(\.0)?$/,
  },
  {
    reason: 'a client has no scope unless it names one',
    places: /\.scope$/,
    values: ['offline_access offline openid', ''],
  },
  {
    reason: 'a flag is true or false',
    places: /\.skip_logout_consent$/,
    values: [null, false],
  },
  {
    reason: 'errors say their character set, too',
    places: /^headers\.content-type$/,
    values: ['application/json', 'application/json; charset=utf-8'],
  },
  {
    reason: 'pages are linked by cursors: there is a first one and a next one, but no last one',
    places: /^headers\.link$/,
  },
  {
    reason: 'the total counts what is filtered; Hydra counts all',
    steps: /lists (clients|trusted issuers) of/,
    places: /^headers\.x-total-count$/,
  },
  {
    reason:
      'redirect URIs with several hosts need a sector identifier URI for pairwise subjects (OpenID Connect Core §8.1); Hydra 2.3 does not ask for it',
    steps: /gives clients of two hosts no sector/,
    places: /./,
  },
  {
    reason:
      'the location of what was made begins with the address that was asked; where Hydra points to, nobody answers',
    steps: /creates a key|trusts an issuer/,
    places: /^headers\.location$/,
  },
  {
    reason: 'the private part of a key is only in the answer that creates it',
    steps: /reads a (set of keys|key)/,
    places: /^body\.keys\.0\.d$/,
    values: ['<chance>', undefined],
  },
  {
    reason: 'a list without consents has its number, too',
    steps: /lists (consents of a stranger|no consents)$/,
    places: /^headers\.x-total-count$/,
    values: [null, '0'],
  },
  {
    reason:
      'a challenge is answered once, as in Hydra 1; Hydra 2 shows it again until its browser has come back',
    steps: /reads a login that is over/,
    places: /^(status|body\..*)$/,
  },
  {
    reason: 'Hydra 26 names the consent, Hydra 2.3 does not',
    steps: /lists the consents|reads the consent/,
    places: /\.consent_request_id$/,
    values: [undefined, '<chance>'],
  },
  {
    reason: 'a parameter that is missing is a fault of the request, for each kind of challenge',
    steps: /names no logout challenge/,
    places: /^status$/,
    values: [404, 400],
  },
  {
    reason: 'the address of a logout is whole, and the ID token is not repeated',
    steps: /reads a logout by/,
    places: /^body\.request_url$/,
  },
  {
    reason: 'each logout ends at a time of its own; Hydra does not say when, if a client has begun it',
    steps: /reads a logout by/,
    places: /^body\.(requested_at|expires_at)$/,
  },
  {
    reason: 'a logout is accepted once',
    steps: /cannot accept a logout that is over/,
    places: /^status$/,
    values: [200, 410],
  },
  {
    reason: 'the words of the token endpoint have no case (RFC 6749 §5.1)',
    steps: /exchanges the code/,
    places: /^(headers\.content-type|body\.token_type)$/,
  },
];
