import { brandWithType } from '@pothos/core';
import { type NodeRow, readNodes } from '../authorization/store/node-rows.ts';
import { builder } from '../graphql/builder.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { NodeInterface } from '../graphql/node.ts';
import { anyCaller, type RootRules } from '../graphql/rules.ts';
import { asRefusal, DomainError, InvalidArgumentError, NotFoundError } from '../platform/errors.ts';
import { type ObjectKind, objectKinds } from '../platform/object-kinds.ts';
import { capabilities } from './capabilities.ts';
import { mergeRules } from './permissions.ts';
import { recordRefusal } from './refusals.ts';

/** The types of all capabilities that `node` finds, by name. */
export const nodeTypes = new Map(
  capabilities.flatMap(({ nodes = [] }) => nodes).map((node) => [node.type.name, node]),
);
const rowsOf = new Map([...nodeTypes].map(([name, { rows }]) => [name, rows]));
const lookups = mergeRules(capabilities.flatMap(({ rules }) => rules)).Query;

/**
 * `NodeExecution` has the lookup `nodeExecution` and the name `node execution`; `OAuth2Client` has `oauth2Client`, because
 * OAuth is one word.
 */
const fieldOf = (type: string) =>
  type.replace(/^OAuth/, 'oauth').replace(/^[A-Z]/, (letter) => letter.toLowerCase());
function kindOf(type: string): ObjectKind {
  const words = fieldOf(type).replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const kind = objectKinds.find((one) => one === words);
  if (!kind) throw new Error(`${type} is not a kind of object`);
  return kind;
}

/** The largest number of ids in one call. */
const MAX_IDS = 100;

builder.queryFields((t) => ({
  node: t.field({
    type: NodeInterface,
    nullable: true,
    description:
      'One object of any type that implements `Node`. The same rules apply as for the query of its type. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: { id: t.arg.id({ required: true, description: 'The id of the object, whatever its type.' }) },
    resolve: async (_root, { id }, context) => {
      const [found] = await findNodes([id], context);
      if (!found || found instanceof DomainError) throw found ?? absent(id);
      return found;
    },
  }),
  nodes: t.field({
    type: [NodeInterface],
    nullable: { list: false, items: true },
    extensions: { listSize: 'ids' },
    description:
      'Objects of any type that implements `Node`, in the order of the ids. An object that does not exist or that you may not see is null.',
    args: { ids: t.arg.idList({ required: true, description: `The ids of at most ${MAX_IDS} objects.` }) },
    resolve: async (_root, { ids }, context) => {
      if (ids.length > MAX_IDS) throw InvalidArgumentError.of(['ids'], `must have at most ${MAX_IDS} ids`);
      const all = await findNodes(ids, context);
      return await Promise.all(
        all.map(async (found) => {
          if (!(found instanceof DomainError)) return found;
          await recordRefusal(found, anyNode, {}, context);
          return null;
        }),
      );
    },
  }),
}));

const anyNode = anyCaller('node:read');
export const nodeRules: RootRules = { Query: { node: anyNode, nodes: anyNode } };

type Found = { readonly id: string } | NotFoundError;

/** One object for each id, or an error if there is none for this caller. */
async function findNodes(ids: readonly string[], context: Context): Promise<Found[]> {
  const rows = await readNodes(callerOf(context), rowsOf, [...new Set(ids)]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return await Promise.all(ids.map((id) => findNode(id, byId.get(id), context)));
}

const absent = (id: string) => new NotFoundError('object', id);

async function findNode(id: string, row: NodeRow | undefined, context: Context): Promise<Found> {
  const node = row && nodeTypes.get(row.type);
  if (!node) return absent(id);
  const { type, permission, load } = node;
  // Nothing more is read of a hidden object, so it takes the same statements as an absent one.
  if (!row.isShown || !(await isAllowed(type.name, id, context)))
    return asRefusal(absent(id), {
      action: permission,
      target: { type: kindOf(type.name), id, name: id },
    });
  const found = await load(id, context);
  if (!found) return absent(id);
  brandWithType(found, type);
  return found;
}

/** Asks the rule of the type's own lookup. @throws errors that are not refusals. */
async function isAllowed(type: string, id: string, context: Context): Promise<boolean> {
  const rule = lookups[fieldOf(type)];
  if (!rule) throw new Error(`${type} has no lookup of its own`);
  const verdict = await rule.decide({ by: { id } }, context);
  if (verdict === true) return true;
  const isRefusal =
    verdict instanceof DomainError && (verdict.code === 'NOT_FOUND' || verdict.code === 'PERMISSION_DENIED');
  if (!isRefusal) throw verdict;
  return false;
}
