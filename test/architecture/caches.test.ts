/**
 * What a server remembers between requests, and why it never answers with what has been taken away: for each memory
 * that a change of rights, an event or a revocation could make wrong, the test that proves it; for the others, why no
 * such change can.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The tests that prove it, each with its title. */
type Proof = readonly (readonly [file: string, title: string])[];

/** Memories that a change could make wrong. */
const proven: Readonly<Record<string, Proof>> = {
  'sign-in/principals.ts #known': [
    ['authorization/feed.test.ts', 'is used for one second while the feed hangs; then the database is asked'],
    ['sign-in/principals.test.ts', 'is not used while the feed is not running'],
    ['http/subscription-access.test.ts', 'ends on another server as well'],
  ],
  'sign-in/principals.ts #keysOfUser': [
    ['identity/edit-user.test.ts', 'ends all access of a disabled user at once, and old tokens for good'],
  ],
  'sign-in/principals.ts #loading': [
    ['sign-in/principals.test.ts', 'is not shared by a sign-in with another version at the same time'],
  ],
  'sign-in/principals.ts accessKeys': [
    ['identity/credentials.test.ts', 'ends the key and its tokens at once, and no other key'],
  ],
  'sign-in/access-tokens.ts verified': [
    ['sign-in/key-sets.test.ts', 'end their tokens when they are deleted, and notify all servers'],
    ['sign-in/key-sets.test.ts', 'end their tokens also when they are deleted while the feed is silent'],
  ],
  'sign-in/access-tokens.ts last': [
    ['sign-in/key-sets.test.ts', 'end their tokens when they are deleted, and notify all servers'],
  ],
  'sign-in/password-sign-in.ts verified': [
    ['sign-in/sign-in-cost.test.ts', 'is refused at once after it was changed, cached or not'],
    ['sign-in/sign-in-cost.test.ts', 'does not sign in with a former name of its user'],
  ],
  'sign-in/password-sign-in.ts verifying': [
    ['sign-in/sign-in-cost.test.ts', 'does not sign in when it is changed during the check'],
  ],
  'sign-in/impersonation.ts inReach': [
    ['sign-in/impersonation.test.ts', 'does not reach a user who was reached before and is disabled now'],
    [
      'sign-in/impersonation.test.ts',
      'does not reach a user whom an administrator of another tenant has reached',
    ],
  ],
  'sign-in/methods/outside-bearer.ts #verified': [
    [
      'sign-in/methods/outside-bearer.test.ts',
      'are no longer accepted when the issuer removes them, also for tokens that were used before',
    ],
    [
      'sign-in/methods/outside-bearer.test.ts',
      'are fetched again after ten minutes even if every token has a known key',
    ],
  ],
  'sign-in/methods/issuer-keys.ts #remote': [
    [
      'sign-in/methods/outside-bearer.test.ts',
      'are fetched again after ten minutes even if every token has a known key',
    ],
  ],
  'key-sets/signing-keys.ts #reading': [
    [
      'key-sets/signing-keys.test.ts',
      'turn while tokens are issued, and both servers accept every token at once',
    ],
  ],
  'authorization/subject-grants.ts grants': [
    ['access/groups.test.ts', 'have the grants of the group at once, and lose them when they leave'],
    ['http/subscription-access.test.ts', 'ends after %s with %s'],
  ],
  'api/watched-access.ts #checking': [['http/subscription-access.test.ts', 'ends after %s with %s']],
  'identity/shared-identities.ts userIds': [
    [
      'sign-in/methods/anonymous.test.ts',
      'is a shared identity, also after signing in as that user in another way',
    ],
  ],
  'oauth/client-secrets.ts right': [
    ['oauth/clients.test.ts', 'forgets a chosen secret that was right, when the client gets another one'],
  ],
  'oauth/provider/current-provider.ts providers': [
    [
      'oauth/tokens.test.ts',
      'are signed by the next key after a rotation, also of a sign-in that began before',
    ],
  ],
  'oauth/provider/userinfo.ts importedKeys': [
    ['oauth/jwt-access-tokens.test.ts', 'imports the key that signs once, and the next key after a rotation'],
  ],
  'identity-providers/outside-client.ts configurations': [
    [
      'identity-providers/sign-in.test.ts',
      'uses the settings of the provider as they are now, not those of before',
    ],
  ],
  'platform/database/prepared-query.ts layouts': [
    ['platform/database/prepared-query.test.ts', 'another connection may see other columns'],
  ],
};

/** Memories that no change can make wrong, and why. */
const never: Readonly<Record<string, string>> = {
  // What never changes, or has its content in its name.
  'oauth/store/pairwise-subjects.ts salts': 'The salt of a tenant never changes.',
  'registry/store.ts closures': 'A version of a workflow never changes.',
  'registry/store/workflow-quality.ts known': 'A version of a workflow never changes.',
  'jobs/commands/read-round.ts nodesOf': 'The key is the digest of the value.',
  'scheduler/owned-job-sets.ts #isFree': 'Whether a job set has an owner never changes.',
  'graphql/execution/selection.ts selections': 'Belong to the fields of a plan.',
  'graphql/execution/selection.ts #byName': 'What a plan selects does not change.',
  'platform/database/client.ts waiting': 'A number of transactions that begin now.',
  'platform/database/client.ts statementNames': 'The names of statements, by their text.',
  'platform/database/statement.ts statements': 'The names of statements, by their text.',
  'platform/database/pipelined-reads.ts recentMs': 'How long statements took.',
  'platform/database/pipelined-reads.ts waiting': 'Reads that begin now.',
  'platform/secrets.ts derivedKeys': 'Keys that are computed from the secrets of the process.',
  'values/read-literals.ts readersByDepth': 'Functions without data.',
  'values/read-literal-types.ts readersByDepth': 'Functions without data.',
  'values/plain-values.ts members': 'Computed from a type, which never changes.',
  'values/unions.ts known': 'Computed from a type, which never changes.',
  'values/unions.ts steps': 'Computed from a type, which never changes.',
  'graphql/cost.ts sizesOf': 'Computed from the schema.',
  'http/known-documents.ts knownDocuments':
    'Whether a document is valid follows from its text and the schema.',
  'http/known-documents.ts #operations': 'The operations of one document.',
  'graphql/execution/plan.ts #variants': 'Computed from one document and the schema.',
  'http/answer-operations.ts jsonTypes': 'Computed from its key, the text of a header.',
  'platform/instants.ts lastDay': 'The day of the last instant that was written.',
  'platform/instants.ts lastDayText': 'The text of this day.',
  'identity/passwords.ts dummyHash': 'The hash of a password that nobody has.',
  // The configuration of the process.
  'http/client-address.ts blockLists': 'Computed from the configuration of the process.',
  'http/graphiql/answer.ts rendered': 'Computed from the build and the configuration of the process.',
  'http/trusted-documents.ts loaded': 'The documents that the process was started with.',
  'http/trusted-documents.ts #texts': 'The documents that the process was started with.',
  'http/trusted-documents.ts #named': 'What was already logged.',
  'identity/fixed-users.ts content': 'The users that the process was started with.',
  'blobs/object-storage.ts opening': 'The connection of the process to the storage.',
  'platform/database/schema-engine.ts instantiated': 'The engine of migrations, which has no data.',
  // What belongs to one request, connection, transaction or error, and goes with it.
  'oauth/provider/resources.ts named': 'Belongs to one request.',
  'oauth/provider/device.ts hints': 'Belongs to one request.',
  'oauth/request-address.ts addresses': 'Belongs to one request.',
  'http/parameters.ts refusals': 'Belongs to one request.',
  'http/listener.ts #lines': 'Belongs to one connection.',
  'platform/database/transaction.ts transactions': 'Belongs to one transaction.',
  'http/graphql.ts masked': 'Belongs to one error.',
  'graphql/cost.ts #fragments': 'Belongs to one document.',
  'graphql/cost.ts #known': 'Belongs to one document.',
  'executions/graphql/attempts-ahead.ts pages': 'Belongs to the arguments of one field of one request.',
  'authorization/subject-grants.ts #readable': 'Belongs to the grants of one caller, as `grants` above.',
  'authorization/subject-grants.ts #wide': 'Belongs to the grants of one caller, as `grants` above.',
  'executions/engine/progress.ts #inside': 'Belongs to one turn of an execution.',
  'executions/commands/end-nodes.ts #outputs': 'Belongs to one turn of an execution.',
  'jobs/domain/scheduling/fleet.ts #matches': 'Belongs to one round of assignments.',
  'jobs/domain/scheduling/plan-round.ts #skipped': 'Belongs to one round of assignments.',
  'jobs/domain/scheduling/brakes.ts #queues': 'Belongs to one round of assignments.',
  // Work that is on its way; nobody gets the result of work that began before the question, or it is no right.
  'oauth/provider/find-token-record.ts searches': 'Searches of this moment that have not begun.',
  'sign-in/principals.ts askedKeys': 'Questions of this moment that have not been asked.',
  'api/access-checks.ts waiting': 'Questions of this moment that have not been asked.',
  'executions/commands/apply-task-report.ts groups':
    'Work that waits for its turn. Each result goes to who brought the work.',
  'jobs/store/run-moves.ts groups': 'Work that waits for its turn. Each result goes to who brought the work.',
  'http/requests.ts #controllers': 'Requests that are being answered.',
  'http/requests.ts #working': 'Work that is being done.',
  'blobs/upload-slots.ts running': 'Uploads that are running.',
  'platform/database/notify.ts #running': 'The connection that hears the news.',
  'authorization/feed.ts #listeners': 'Who hears of changes.',
  'authorization/feed.ts #looking': 'A look for changes. A change that comes during it starts the next one.',
  'authorization/feed.ts #next': 'A look for changes that has not begun.',
  'authorization/store/changes.ts watchers': 'Who hears of changes.',
  // What waits to be written.
  'authorization/audit.ts pending': 'Refusals that are not written yet.',
  'authorization/audit.ts timer': 'When they are written.',
  'authorization/audit.ts overflow': 'How many more there were.',
  'authorization/audit.ts flushing': 'The writing itself.',
  'sign-in/key-uses.ts noted': 'When the use of an access key was last written. Nothing is decided by it.',
  'sign-in/key-uses.ts pending': 'Uses of access keys that are not written yet.',
  'sign-in/key-uses.ts timer': 'When they are written.',
  'sign-in/key-uses.ts flushing': 'The writing itself.',
  // Counts, which limit and give no right.
  'http/turns.ts #waiting': 'Long pieces of work that wait for the turn of their callers.',
  'http/unread-answers.ts #ofCaller': 'How many bytes of answers wait until their callers read them.',
  'http/rate.ts #levels': 'What callers have used of their limits.',
  'sign-in/attempts.ts #counts': 'Failed attempts, which only the time takes away.',
  'sign-in/attempts.ts knownPlaces':
    'From where passwords were right. There, only the limit of an account is higher.',
  'scheduler/reject-gangs.ts places': 'Where the next look goes on. Every look reads the jobs anew.',
  'scheduler/pace.ts #last': 'When something was last done.',
};

/** Executors and the command line are clients. They remember what is theirs. */
const clients = ['executor', 'cli', 'generated'];

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => relative('', path))
  .filter((path) => path.endsWith('.ts') && !clients.includes(path.split('/')[0] ?? ''));

const kinds = 'Map|Set|WeakMap|WeakSet|LRUCache|DataLoader';
/** Collections of a module or an object that begin empty, and variables of a module that change. */
const memories = [
  new RegExp(
    `^(?:export )?const (\\w+)(?:: [^=]+)? = new (?:${kinds})(?:<.*>)?\\((?:\\)|[{]|\\w+, [{])`,
    'gm',
  ),
  new RegExp(`^ +(?:readonly )?(#\\w+)(?:: [^=;]+)? = new (?:${kinds})(?:<.*>)?\\((?:\\)|[{])`, 'gm'),
  /^const (\w+) = tenantGroups</gm,
  /^ +(?:readonly )?(#\w+): LRUCache</gm,
  /^ +(#\w+): Promise<.*> \| null = null/gm,
  /^(?:export )?let (\w+)\b/gm,
];

const found = files.flatMap((path) => {
  const text = readFileSync(join(root, 'src', path), 'utf8');
  return memories.flatMap((memory) => [...text.matchAll(memory)].map(([, name]) => `${path} ${name}`));
});

describe('what a server remembers between requests', () => {
  it('is in one of the two tables', () => {
    const known = [...Object.keys(proven), ...Object.keys(never)];
    expect(found.filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !found.includes(name))).toEqual([]);
  });

  it.each(Object.entries(proven).flatMap(([name, proof]) => proof.map((one) => [name, ...one] as const)))(
    '%s: %s has the test "%s"',
    (_name, file, title) => {
      expect(readFileSync(join(root, 'test', file), 'utf8')).toContain(`'${title}'`);
    },
  );
});
