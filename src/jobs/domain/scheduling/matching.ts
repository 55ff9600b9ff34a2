/** Keeps jobs away from a node that do not tolerate it. Source: Kubernetes. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** Source: Kubernetes. */
export interface Toleration {
  /** Empty, with `Exists`: every taint is tolerated. */
  readonly key: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value: string;
  /** Null: whatever the effect. */
  readonly effect: Taint['effect'] | null;
}

export type Labels = Readonly<Record<string, string>>;

/** What about a node keeps a job away from it. */
export interface Mismatch {
  readonly kind: 'SELECTOR' | 'TAINT';
  /** For people: it stands behind the number of nodes and a colon. */
  readonly text: string;
}

/** Why a node cannot run a job, apart from how much is free; null if it can. */
export function mismatch(
  node: { readonly labels: Labels; readonly taints: readonly Taint[] },
  job: { readonly nodeSelector: Labels; readonly tolerations: readonly Toleration[] },
): Mismatch | null {
  for (const [key, value] of Object.entries(job.nodeSelector))
    if (node.labels[key] !== value) return { kind: 'SELECTOR', text: `the label ${key}=${value} is missing` };
  for (const taint of node.taints) {
    if (taint.effect === 'PreferNoSchedule') continue;
    if (!job.tolerations.some((toleration) => tolerates(toleration, taint)))
      return { kind: 'TAINT', text: `the job does not tolerate the taint ${textOf(taint)}` };
  }
  return null;
}

const textOf = ({ key, value, effect }: Taint) => `${key}${value === '' ? '' : `=${value}`}:${effect}`;

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== null && toleration.effect !== taint.effect) return false;
  if (toleration.key === '') return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || toleration.value === taint.value;
}
