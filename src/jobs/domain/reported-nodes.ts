import type { Problem } from '../../platform/errors.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Labels, Taint } from './scheduling/matching.ts';
import { type Amounts, amountOf, nodeNameOf, type Resources } from './scheduling/resources.ts';

/** A machine, as its executor reports it. */
export interface ReportedNode {
  readonly name: string;
  /** What it has for runs, as Kubernetes quantities by resource; absent if the executor does not say. */
  readonly allocatable?: Readonly<Record<string, string>> | null;
  readonly labels?: Labels;
  readonly taints?: readonly Taint[];
  /** Whether it takes no new work. */
  readonly unschedulable?: boolean;
}

const MAX_NODES = 5000;
const MAX_NAME = 253;
const MAX_RESOURCES = 64;
const MAX_LABELS = 128;
const MAX_TAINTS = 32;
const MAX_TEXT = 317;

/** All problems of the nodes in a report. */
export function nodeProblems(nodes: readonly ReportedNode[], path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: [...path, ...at], code: 'InvalidValue', message });
  if (nodes.length > MAX_NODES) {
    fault([], `must have at most ${MAX_NODES} nodes`);
    return problems;
  }
  const names = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    const at = String(index);
    if (node.name === '' || node.name.length > MAX_NAME || node.name.includes('/'))
      fault([at, 'name'], `must have 1 to ${MAX_NAME} characters and no slash`);
    if (names.has(node.name)) fault([at, 'name'], 'another node of the report has this name');
    names.add(node.name);
    problems.push(...allocatableProblems(node.allocatable ?? {}, [...path, at, 'allocatable']));
    const labels = Object.entries(node.labels ?? {});
    if (labels.length > MAX_LABELS) fault([at, 'labels'], `must have at most ${MAX_LABELS} labels`);
    if (labels.flat().some((text) => text.length > MAX_TEXT))
      fault([at, 'labels'], `a key or value must have at most ${MAX_TEXT} characters`);
    const taints = node.taints ?? [];
    if (taints.length > MAX_TAINTS) fault([at, 'taints'], `must have at most ${MAX_TAINTS} taints`);
    if (taints.some(({ key, value }) => key === '' || key.length > MAX_TEXT || value.length > MAX_TEXT))
      fault([at, 'taints'], `a key must have 1 to ${MAX_TEXT} characters, and a value at most ${MAX_TEXT}`);
  }
  return problems;
}

function allocatableProblems(allocatable: unknown, path: readonly string[]): Problem[] {
  const fault = (message: string): Problem[] => [{ path, code: 'InvalidValue', message }];
  if (typeof allocatable !== 'object' || allocatable === null || Array.isArray(allocatable))
    return fault('must be an object of quantities by the name of the resource');
  const entries = Object.entries(allocatable);
  if (entries.length > MAX_RESOURCES) return fault(`must have at most ${MAX_RESOURCES} resources`);
  const bad = entries.find(
    ([name, text]) => name.length > MAX_TEXT || typeof text !== 'string' || amountOf(name, text) === null,
  );
  return bad ? fault(`the amount of ${bad[0].slice(0, MAX_TEXT)} must be a quantity such as 2 or 16Gi`) : [];
}

/** The amounts of a node; null if its executor does not say what it has. */
export function allocatableOf({ allocatable }: ReportedNode): Resources | null {
  if (!allocatable || Object.keys(allocatable).length === 0) return null;
  const amounts: Amounts = {};
  for (const [name, text] of Object.entries(allocatable)) {
    const amount = amountOf(name, text);
    if (amount !== null) amounts[nodeNameOf(name)] = amount;
  }
  return amounts;
}

/** The label in which Kubernetes repeats the name of a node. */
const HOSTNAME = 'kubernetes.io/hostname';

/** The same text for nodes that differ only in their names. The store groups reported nodes in the same way. */
export function nodeKindOf(node: {
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly allocatable: Resources | null;
}): string {
  const { [HOSTNAME]: _name, ...labels } = node.labels;
  return canonicalJson({ labels, taints: node.taints, allocatable: node.allocatable });
}
