import { choice, httpUrl, list, readEnvironment, text, whole } from './environment.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const label = text().regex(
  LABEL,
  'must have 1 to 63 lower-case letters, digits and hyphens, and no hyphen at either end',
);

const quantity = (example: string) =>
  text().regex(/^\d{1,15}(\.\d{1,9})?([numkMGTPE]|[KMGTPE]i)?$/, `must be an amount such as ${example}`);

/** The variables that the executor reads in addition to the base. */
export const executorVariables = {
  SLIPWAY_URL: httpUrl('https://slipway.example.com').default('http://127.0.0.1:4000'),
  SLIPWAY_EXECUTOR: label.default('local'),
  SLIPWAY_EXECUTOR_POOL: label.default('default'),
  SLIPWAY_EXECUTOR_SLOTS: whole(1, 1000).default(4),
  SLIPWAY_EXECUTOR_CPU: quantity('8 or 500m').optional(),
  SLIPWAY_EXECUTOR_MEMORY: quantity('16Gi').optional(),
  SLIPWAY_EXECUTOR_PATH: text().optional(),
  SLIPWAY_EXECUTOR_RUNTIME: choice('process', 'slurm', 'kubernetes').optional(),
  SLURM_URL: text()
    .regex(
      /^(https?:\/\/[^/\s]+(\/\S*)?|unix:\/\S+)$/,
      'must be a URL such as http://slurm.example.com:6820 or unix:/run/slurmrestd.socket',
    )
    .optional(),
  SLURM_USER: text(255).optional(),
  SLURM_TOKEN_FILE: text().optional(),
  SLURM_TOKEN: text(64 * 1024).optional(),
  SLURM_SHARED_DIR: text().regex(/^\//, 'must be an absolute path').optional(),
  SLURM_PARTITION: text(255).optional(),
  SLURM_ACCOUNT: text(255).optional(),
  KUBECONFIG: text().optional(),
  KUBERNETES_CONTEXT: text(255).optional(),
  KUBERNETES_NAMESPACE: label.optional(),
  KUBERNETES_NAMESPACES: list
    .refine((names) => names.every((name) => LABEL.test(name)), 'must be a list of namespaces such as a,b')
    .default([]),
  KUBERNETES_VOLUME_CLAIM: text(253).optional(),
  KUBERNETES_SHARED_DIR: text().regex(/^\//, 'must be an absolute path').optional(),
  KUBERNETES_SERVICE_ACCOUNT: text(253).optional(),
  ON_LOST_CONTACT: choice('continue', 'stop').default('continue'),
};

const settings = readEnvironment(executorVariables);

export const executorConfig = {
  url: settings.SLIPWAY_URL,
  name: settings.SLIPWAY_EXECUTOR,
  pool: settings.SLIPWAY_EXECUTOR_POOL,
  slots: settings.SLIPWAY_EXECUTOR_SLOTS,
  cpu: settings.SLIPWAY_EXECUTOR_CPU,
  memory: settings.SLIPWAY_EXECUTOR_MEMORY,
  path: settings.SLIPWAY_EXECUTOR_PATH,
  runtime: settings.SLIPWAY_EXECUTOR_RUNTIME,
  slurm: {
    url: settings.SLURM_URL,
    user: settings.SLURM_USER,
    token: settings.SLURM_TOKEN,
    tokenFile: settings.SLURM_TOKEN_FILE,
    sharedDir: settings.SLURM_SHARED_DIR,
    partition: settings.SLURM_PARTITION ?? null,
    account: settings.SLURM_ACCOUNT ?? null,
  },
  kubernetes: {
    kubeconfig: settings.KUBECONFIG,
    context: settings.KUBERNETES_CONTEXT,
    namespace: settings.KUBERNETES_NAMESPACE,
    namespaces: settings.KUBERNETES_NAMESPACES,
    volumeClaim: settings.KUBERNETES_VOLUME_CLAIM,
    sharedDir: settings.KUBERNETES_SHARED_DIR,
    serviceAccount: settings.KUBERNETES_SERVICE_ACCOUNT ?? null,
  },
  onLostContact: settings.ON_LOST_CONTACT,
} as const;
