/** The types of the objects that we register, as in `schema.graphql`, and short functions to write them. */
export type LiteralType =
  | { readonly simple: 'INTEGER' | 'FLOAT' | 'STRING' | 'BOOLEAN' | 'STRUCT' }
  | { readonly blob: { readonly format: string } }
  | { readonly enumType: { readonly values: readonly string[] } }
  | { readonly collectionType: LiteralType };

export interface EntityKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
}

export interface Variable {
  readonly name: string;
  readonly type: LiteralType;
}

export type Binding =
  | { readonly promise: { readonly nodeId: string; readonly var: string } }
  | { readonly value: unknown }
  | { readonly collection: readonly Binding[] };

export interface NamedBinding {
  readonly var: string;
  readonly binding: Binding;
}

export interface TaskDocument {
  readonly key: EntityKey;
  readonly shortDescription: string;
  readonly template: {
    readonly type: 'container';
    readonly metadata: { readonly retries: number; readonly timeout: string };
    readonly interface: { readonly inputs: readonly Variable[]; readonly outputs: readonly Variable[] };
    readonly container: {
      readonly image: string;
      readonly command: readonly string[];
      readonly args: readonly string[];
    };
  };
}

export interface WorkflowDocument {
  readonly key: EntityKey;
  readonly shortDescription: string;
  readonly template: {
    readonly interface: { readonly inputs: readonly Variable[]; readonly outputs: readonly Variable[] };
    readonly nodes: readonly {
      readonly id: string;
      readonly taskNode: { readonly referenceId: EntityKey };
      readonly inputs: readonly NamedBinding[];
    }[];
    readonly outputs: readonly NamedBinding[];
  };
}

export interface LaunchPlanDocument {
  readonly key: EntityKey;
  readonly workflow: { readonly key: EntityKey };
  readonly defaultInputs: Readonly<Record<string, unknown>>;
  readonly requiredInputs: readonly string[];
}

export const integer: LiteralType = { simple: 'INTEGER' };
export const float: LiteralType = { simple: 'FLOAT' };
export const boolean: LiteralType = { simple: 'BOOLEAN' };
export const struct: LiteralType = { simple: 'STRUCT' };
export const oneOf = (values: readonly string[]): LiteralType => ({ enumType: { values } });
export const listOf = (collectionType: LiteralType): LiteralType => ({ collectionType });
/** A file, such as `file('json')`. */
export const file = (format: string): LiteralType => ({ blob: { format } });

export const variables = (types: Readonly<Record<string, LiteralType>>): Variable[] =>
  Object.entries(types).map(([name, type]) => ({ name, type }));

export const bindings = (byName: Readonly<Record<string, Binding>>): NamedBinding[] =>
  Object.entries(byName).map(([name, binding]) => ({ var: name, binding }));

/** An output of a node. */
export const output = (nodeId: string, name: string): Binding => ({ promise: { nodeId, var: name } });
/** An input of the workflow. */
export const input = (name: string): Binding => output('', name);
export const value = (plain: unknown): Binding => ({ value: plain });
export const list = (items: readonly Binding[]): Binding => ({ collection: items });
