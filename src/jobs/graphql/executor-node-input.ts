import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import type { ReportedNode } from '../domain/reported-nodes.ts';
import type { Taint } from '../domain/scheduling/matching.ts';

export const TaintEffectEnum = enumOf<Taint['effect']>(
  'TaintEffect',
  'What a taint does to jobs that do not tolerate it. Source: Kubernetes.',
  {
    NoSchedule: 'They do not start on the node.',
    PreferNoSchedule: 'They should not start on the node, but they may.',
    NoExecute: 'They do not start on the node.',
  },
);

export const TaintInput = builder.inputType('TaintInput', {
  description: 'A taint of a node: it keeps jobs away that do not tolerate it.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The key of the taint.' }),
    value: t.string({ defaultValue: '', description: 'The value of the taint. It may be empty.' }),
    effect: t.field({
      type: TaintEffectEnum,
      required: true,
      description: 'What happens to jobs that do not tolerate it.',
    }),
  }),
});

export const ExecutorNodeInput = builder.inputType('ExecutorNodeInput', {
  description: 'A machine that an executor runs work on.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name of the machine, unique in its executor, without a slash.',
    }),
    allocatable: t.field({
      type: 'JSON',
      description:
        'The resources that the machine has for runs, as an object with Kubernetes quantities by resource name, for example `{"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}`. A job starts on the machine only if everything that it requests is free there. If it is absent, only the number of runs of the executor is limited.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'The labels of the machine. Jobs can ask for them with a node selector.',
    }),
    taints: t.field({
      type: [TaintInput],
      defaultValue: [],
      description: 'The taints of the machine. Only jobs that tolerate them start there.',
    }),
    unschedulable: t.boolean({
      defaultValue: false,
      description: 'Whether the machine takes no new runs.',
    }),
  }),
});

/** A taint, as it arrives. */
export const taintOf = ({ key, value, effect }: typeof TaintInput.$inferInput): Taint => ({
  ...{ key, value: value ?? '', effect },
});

type Given = typeof ExecutorNodeInput.$inferInput;

/** @throws InvalidArgumentError if a label is given twice. */
export function reportedNode(node: Given, index: number): ReportedNode {
  return {
    name: node.name,
    allocatable: (node.allocatable ?? null) as ReportedNode['allocatable'],
    labels: mapOf(node.labels ?? [], ['input', 'nodes', String(index), 'labels']),
    taints: (node.taints ?? []).map(taintOf),
    unschedulable: node.unschedulable ?? false,
  } as ReportedNode;
}
