import { compileTask } from '../../src/registry/domain/compile-task.ts';
import type { CompiledTask } from '../../src/registry/domain/task-templates.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';

/** Builders of workflows for tests: a test writes only the parts that matter for it. */
export const integer: LiteralType = { simple: 'INTEGER' };
export const string: LiteralType = { simple: 'STRING' };
export const none: LiteralType = { simple: 'NONE' };
export const listOf = (collectionType: LiteralType): LiteralType => ({ collectionType });
export const mapOf = (mapValueType: LiteralType): LiteralType => ({ mapValueType });
export const unionOf = (...variants: LiteralType[]): LiteralType => ({ unionType: { variants } });

type Types = Record<string, LiteralType>;

export function variables(types: Types) {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
}

export const keyOf = (name: string) => ({ project: 'vision', domain: 'development', name, version: 'v1' });

export function aTask(name: string, inputs: Types = {}, outputs: Types = {}): CompiledTask {
  const template = {
    type: 'python-task',
    metadata: {},
    interface: { inputs: variables(inputs), outputs: variables(outputs) },
  };
  return { id: keyOf(name), template: compileTask(template) };
}

export function aNode(id: string, task: string, inputs: Record<string, unknown> = {}, rest: object = {}) {
  return { id, taskNode: { referenceId: keyOf(task) }, inputs: bindings(inputs), ...rest };
}

export function bindings(inputs: Record<string, unknown>) {
  return Object.entries(inputs).map(([name, binding]) => ({ var: name, binding }));
}

export const promise = (nodeId: string, output: string, ...attrPath: (string | number)[]) => ({
  promise: { nodeId, var: output, attrPath },
});
export const value = (plain: unknown) => ({ value: plain });
