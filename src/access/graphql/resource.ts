import type { GrantResource } from '../../authorization/domain/decision.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import type { ResourceType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import type { Loaders } from '../../graphql/context.ts';
import { ResourceTypeEnum } from '../../graphql/resource-type.ts';
import type { Finder } from '../../graphql/rules.ts';
import { queueTarget } from '../../jobs/domain/targets.ts';
import { QueueByInput } from '../../jobs/graphql/queue.ts';
import { addressText } from '../../platform/address-text.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { kindOf, type ObjectKind } from '../../platform/object-kinds.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectByInput } from '../../projects/graphql/project.ts';
import { workflowTarget } from '../../registry/domain/targets.ts';
import { EntityNameInput } from '../../registry/graphql/entity-key.ts';
import { experimentTarget } from '../../tracking/domain/experiment-targets.ts';
import { registeredModelTarget } from '../../tracking/domain/model-targets.ts';
import { ExperimentByInput } from '../../tracking/graphql/experiment.ts';
import { RegisteredModelByInput } from '../../tracking/graphql/registered-model.ts';

/** A resource of a grant, as its address found it. */
export interface Resource {
  readonly type: ResourceType;
  readonly id: string;
  readonly name: string;
  readonly target: Target;
}

/** What an input names as a resource: one object, all objects of a type, or the tenant. */
export interface FoundResource {
  readonly resource: GrantResource;
  /** Null for all objects of a type and for the tenant. */
  readonly name: string | null;
  readonly target: Target;
}

interface Kind {
  readonly type: ResourceType;
  find(address: Address, loaders: Loaders): Promise<Resource | null>;
}

type Address = Readonly<Record<string, unknown>>;

/** One kind of resource: where its rows come from, and how to get the target and the name of a row. */
function kind<Row extends { readonly id: string }>(
  type: ResourceType,
  load: (address: never, loaders: Loaders) => Promise<Row | null>,
  targetOf: (row: Row) => Target,
  nameOf: (row: Row) => string,
): Kind {
  return {
    type,
    async find(address, loaders) {
      const row = await load(address as never, loaders);
      return row && { type, id: row.id, name: nameOf(row), target: targetOf(row) };
    },
  };
}

/** All kinds of resource, by the name of their field in `ResourceByInput`. */
const resources = {
  project: kind(
    'PROJECT',
    (by, { project }) => project.load(by),
    projectTarget,
    (row) => row.identifier,
  ),
  experiment: kind(
    'EXPERIMENT',
    (by, { experiment }) => experiment.load(by),
    experimentTarget,
    (row) => row.name,
  ),
  registeredModel: kind(
    'REGISTERED_MODEL',
    (by, { registeredModel }) => registeredModel.load(by),
    registeredModelTarget,
    (row) => row.name,
  ),
  workflow: kind(
    'WORKFLOW',
    (by, { workflowName }) => workflowName.load(by),
    (row) => workflowTarget({ ...row, entityId: row.id }),
    (row) => row.name,
  ),
  queue: kind(
    'QUEUE',
    (by, { queue }) => queue.load(by),
    queueTarget,
    (row) => row.name,
  ),
} satisfies Record<string, Kind>;

const kindsByType: ReadonlyMap<ResourceType, Kind> = new Map(
  Object.values(resources).map((one) => [one.type, one]),
);

export const ResourceByInput = builder.inputType('ResourceByInput', {
  description: 'The resource of a grant: one resource, all resources of a type, or the whole tenant.',
  isOneOf: true,
  fields: (t) => ({
    project: t.field({ type: ProjectByInput, description: 'One project.' }),
    experiment: t.field({ type: ExperimentByInput, description: 'One experiment.' }),
    registeredModel: t.field({ type: RegisteredModelByInput, description: 'One registered model.' }),
    workflow: t.field({ type: EntityNameInput, description: 'One workflow with all its versions.' }),
    queue: t.field({ type: QueueByInput, description: 'One queue.' }),
    all: t.field({
      type: ResourceTypeEnum,
      description:
        'All resources of this type in the tenant, even those that are created later. Requires an administrator.',
    }),
    tenant: t.boolean({ description: 'Must be true: everything in the tenant. Requires an administrator.' }),
  }),
});

/** A `ResourceByInput`, as it arrives. */
export interface ResourceBy {
  readonly all?: ResourceType | null;
  readonly tenant?: boolean | null;
  readonly [object: string]: unknown;
}

/** Whether it names no single object. Then only administrators may use it. */
export const isWide = ({ all, tenant }: ResourceBy): boolean => all != null || tenant != null;

/** The kind of all these objects. */
export const wideKind = ({ all }: ResourceBy): ObjectKind => kindOf[all ?? 'TENANT'];

/** The kind and the address of the object. */
function addressIn(resource: ResourceBy): { kind: Kind; address: Address } {
  for (const [field, of] of Object.entries(resources)) {
    const address = resource[field] as Address | null | undefined;
    // A workflow's address is only its key; the loader accepts an id or a key.
    if (address) return { kind: of, address: field === 'workflow' ? { key: address } : address };
  }
  throw new Error('a resource of a kind that is not in the table');
}

/** How a rule finds the object of a `ResourceByInput`. */
export function ofResource(resource: ResourceBy): Finder {
  const { kind: of, address } = addressIn(resource);
  return {
    kind: kindOf[of.type],
    key: () => addressText(address),
    target: async (_args, { loaders }) => (await of.find(address, loaders))?.target ?? null,
  };
}

/** Null if the object does not exist; the rule has already answered that. @throws InvalidArgumentError */
export async function findResourceBy(
  resource: ResourceBy,
  tenantId: string,
  loaders: Loaders,
  path: readonly string[],
): Promise<FoundResource | null> {
  const { all, tenant } = resource;
  if (tenant === false) throw InvalidArgumentError.of([...path, 'tenant'], 'tenant must be true or left out');
  if (tenant) return wide({ type: 'TENANT', id: null }, tenantId);
  if (all === 'TENANT')
    throw InvalidArgumentError.of(
      [...path, 'all'],
      'all takes a type of resource; for the tenant, write tenant: true',
    );
  if (all) return wide({ type: all, id: null }, tenantId);
  const { kind: of, address } = addressIn(resource);
  const found = await of.find(address, loaders);
  return found && { resource: { type: found.type, id: found.id }, name: found.name, target: found.target };
}

function wide(resource: GrantResource, tenantId: string): FoundResource {
  const { type } = resource;
  return {
    resource,
    name: null,
    target: { tenantId, resources: [], ...(type === 'TENANT' ? {} : { allOf: type }) },
  };
}

/** The object of a stored grant; null if it was deleted. */
export async function findResource(
  resource: GrantResource,
  tenantId: string,
  loaders: Loaders,
): Promise<FoundResource | null> {
  if (resource.id === null) return wide(resource, tenantId);
  const found = await kindsByType.get(resource.type)?.find({ id: resource.id }, loaders);
  return found ? { resource, name: found.name, target: found.target } : null;
}

export interface GrantResourceRow extends GrantResource {
  readonly tenantId: string;
  /** Left out if it must be looked up. */
  readonly name?: string | null;
}

export const GrantResourceType = builder.objectRef<GrantResourceRow>('GrantResource').implement({
  description: 'The resource of a grant: one resource, all resources of a type, or the whole tenant.',
  fields: (t) => ({
    type: t.expose('type', {
      type: ResourceTypeEnum,
      description: 'The type of resource; TENANT for the whole tenant.',
    }),
    id: t.id({
      nullable: true,
      description: 'The id of the resource; null for all resources of a type and for the tenant.',
      resolve: (resource) => resource.id,
    }),
    name: t.string({
      nullable: true,
      description:
        'The name of the resource, or the identifier of a project; null for all resources of a type and for the tenant.',
      resolve: async (resource, _args, { loaders }) =>
        resource.name === undefined
          ? ((await findResource(resource, resource.tenantId, loaders))?.name ?? null)
          : resource.name,
    }),
  }),
});
