import { type DescMessage, fromBinary, type JsonObject, type MessageShape, toJson } from '@bufbuild/protobuf';
import { type FlyteSpec, flyteLaunchPlan, flyteTask, flyteWorkflow } from '../../flyte/flyte-json.ts';
import type { FieldPath } from '../../flyte/form.ts';
import { LaunchPlanSchema } from '../../generated/proto/flyteidl/admin/launch_plan_pb.ts';
import { TaskSpecSchema } from '../../generated/proto/flyteidl/admin/task_pb.ts';
import { WorkflowSpecSchema } from '../../generated/proto/flyteidl/admin/workflow_pb.ts';
import { type Identifier, ResourceType } from '../../generated/proto/flyteidl/core/identifier_pb.ts';
import { CliError } from '../cli-error.ts';
import type { PackageFile } from './package-files.ts';

export type EntityKind = 'task' | 'workflow' | 'launch plan';

export interface EntityKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
}

/**
 * What our own form does not have: stored by the server and without effect, or not sent at all; or what a dry run could
 * not check.
 */
export interface Note {
  readonly path: string;
  readonly what: 'kept' | 'dropped' | 'unchecked';
}

/** A version, in this package or not. */
export interface EntityReference {
  readonly kind: EntityKind;
  readonly key: EntityKey;
}

/** The same text for the same version. */
export const referenceText = ({ kind, key: { project, domain, name, version } }: EntityReference) =>
  JSON.stringify([kind, project, domain, name, version]);

/** One thing to register. */
export interface PackageEntity extends EntityReference {
  /** Flyte's spec in protobuf JSON, as our API takes it. */
  readonly flyte: JsonObject;
  readonly notes: readonly Note[];
  /** The other versions that the spec names. */
  readonly references: readonly EntityReference[];
}

/** The parts of keys that the package leaves open. */
export type KeyParts = Partial<Omit<EntityKey, 'name'>>;

/** What the file names of `pyflyte package` end with. The number is Flyte's ResourceType. */
const kinds: Readonly<Record<string, (content: Uint8Array, parts: KeyParts) => PackageEntity | null>> = {
  1: entityReader('task', ResourceType.TASK, TaskSpecSchema, flyteTask, (spec) => ({
    id: spec.template?.id,
    spec,
  })),
  2: entityReader('workflow', ResourceType.WORKFLOW, WorkflowSpecSchema, flyteWorkflow, (spec) => ({
    id: spec.template?.id,
    spec,
  })),
  3: entityReader('launch plan', ResourceType.LAUNCH_PLAN, LaunchPlanSchema, flyteLaunchPlan, (plan) => ({
    id: plan.id,
    spec: plan,
    field: 'spec',
  })),
};

/**
 * The entities of a package, in their order, with complete keys.
 *
 * @throws CliError INVALID_ARGUMENT for a file that is not what its name says, and for a key that stays incomplete.
 */
export function entitiesOf(files: readonly PackageFile[], parts: KeyParts): PackageEntity[] {
  if (files.length === 0) throw new CliError('INVALID_ARGUMENT', 'the package is empty');
  return files.map(({ name, content }) => {
    const kind = /_([123])\.pb$/.exec(name)?.[1];
    const read = kind === undefined ? undefined : kinds[kind];
    if (read === undefined)
      throw new CliError(
        'INVALID_ARGUMENT',
        `${name} is not a task (_1.pb), a workflow (_2.pb) or a launch plan (_3.pb)`,
        { hint: 'package without --fast: code that is not in an image cannot be registered yet' },
      );
    const entity = read(content, parts);
    if (entity === null) throw new CliError('INVALID_ARGUMENT', `${name} is not what its name says`);
    const missing = (['project', 'domain', 'version'] as const).filter((part) => entity.key[part] === '');
    if (missing.length > 0)
      throw new CliError('INVALID_ARGUMENT', `${name} has no ${missing.join(', ')}`, {
        hint: `give ${missing.map((part) => `--${part}`).join(' ')}`,
      });
    return entity;
  });
}

function entityReader<Schema extends DescMessage>(
  kind: EntityKind,
  resourceType: ResourceType,
  schema: Schema,
  form: FlyteSpec<object>,
  partsOf: (message: MessageShape<Schema>) => { id: Identifier | undefined; spec: unknown; field?: string },
) {
  return (content: Uint8Array, parts: KeyParts): PackageEntity | null => {
    const message = decode(schema, content);
    if (message === null) return null;
    const { id, field } = partsOf(message);
    if (id === undefined || id.resourceType !== resourceType || id.name === '') return null;
    completeKeys(message, parts);
    const json = encode(schema, message);
    // A message is an object in JSON.
    const flyte = (field === undefined ? json : json?.[field]) as JsonObject | null | undefined;
    if (!flyte) return null;
    const own = { kind, key: keyOf(id) };
    return {
      ...own,
      flyte,
      references: referencesIn(message).filter((one) => referenceText(one) !== referenceText(own)),
      notes: [
        ...form.toOurs(flyte).leftovers.map(({ path }) => ({ path: path.join('.'), what: 'kept' as const })),
        ...unknownFields(message).map((path) => ({ path: path.join('.'), what: 'dropped' as const })),
      ],
    };
  };
}

function decode<Schema extends DescMessage>(
  schema: Schema,
  content: Uint8Array,
): MessageShape<Schema> | null {
  try {
    return fromBinary(schema, content);
  } catch {
    return null;
  }
}

/** Null for a message that has no JSON: with a type in it that is not part of Flyte. */
function encode<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
): JsonObject | null {
  try {
    return toJson(schema, message) as JsonObject;
  } catch {
    return null;
  }
}

/** What `pyflyte package` writes for the parts of a key that are known only at registration. */
const PLACEHOLDER = /^\{\{\s*registration\.(project|domain|version)\s*\}\}$/;

/** Fills the open parts of all keys in a message: its own and those that it refers to. */
function completeKeys(message: unknown, parts: KeyParts): void {
  if (isIdentifier(message)) {
    for (const part of ['project', 'domain', 'version'] as const)
      if (message[part] === '' || PLACEHOLDER.test(message[part])) message[part] = parts[part] ?? '';
    return;
  }
  for (const [, value] of entriesIn(message)) completeKeys(value, parts);
}

const isIdentifier = (message: unknown): message is Identifier =>
  (message as Partial<Identifier> | null | undefined)?.$typeName === 'flyteidl.core.Identifier';

const keyOf = ({ project, domain, name, version }: Identifier): EntityKey => ({
  project,
  domain,
  name,
  version,
});

const kindsByType: Readonly<Partial<Record<ResourceType, EntityKind>>> = {
  [ResourceType.TASK]: 'task',
  [ResourceType.WORKFLOW]: 'workflow',
  [ResourceType.LAUNCH_PLAN]: 'launch plan',
};

/** The versions that a message names, anywhere inside of it. */
function referencesIn(message: unknown): EntityReference[] {
  if (!isIdentifier(message)) return entriesIn(message).flatMap(([, value]) => referencesIn(value));
  const kind = kindsByType[message.resourceType];
  return kind === undefined ? [] : [{ kind, key: keyOf(message) }];
}

/** The fields of a message, the items of a list, or the entries of a map; none of other values, such as bytes. */
function entriesIn(value: unknown): [string, unknown][] {
  const hasEntries = typeof value === 'object' && !ArrayBuffer.isView(value);
  return hasEntries ? Object.entries(value ?? {}) : [];
}

/** Fields of a newer version of Flyte, which the messages here do not have. */
function unknownFields(message: unknown, path: FieldPath = []): FieldPath[] {
  return entriesIn(message).flatMap(([name, value]) => {
    if (name !== '$unknown') return unknownFields(value, [...path, name]);
    return (value as { no: number }[]).map(({ no }) => [...path, `(field ${no})`]);
  });
}
