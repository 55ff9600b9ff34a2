import type { Binding, NamedBinding, Variable } from '../../examples/penguins/documents.ts';
import { documents } from '../../examples/penguins/workflow.ts';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import type { CompiledWorkflowClosure } from '../../src/registry/domain/workflow-templates.ts';

interface Interface {
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
}

/**
 * Compiles the example's documents as the registry does, without a server: from the form of GraphQL to the form of the
 * domain.
 */
export function compilePenguins(): CompiledWorkflowClosure {
  const tasks = documents.tasks.map(({ key: id, template }) => ({
    id,
    template: compileTask({ ...template, interface: interfaceOf(template.interface) }),
  }));
  const { template } = documents.workflow;
  const written = readWorkflowTemplate({
    interface: interfaceOf(template.interface),
    nodes: template.nodes.map((node) => ({ ...node, inputs: bindingsOf(node.inputs) })),
    outputs: bindingsOf(template.outputs),
  });
  return compileWorkflow(written, { tasks });
}

function interfaceOf({ inputs, outputs }: Interface) {
  const byName = (list: readonly Variable[]) =>
    Object.fromEntries(list.map(({ name, type }) => [name, { type }]));
  return { inputs: byName(inputs), outputs: byName(outputs) };
}

const bindingsOf = (list: readonly NamedBinding[]) =>
  list.map((one) => ({ var: one.var, binding: bindingOf(one.binding) }));

function bindingOf(binding: Binding): unknown {
  return 'collection' in binding ? { collection: { bindings: binding.collection.map(bindingOf) } } : binding;
}
