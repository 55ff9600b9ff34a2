import type { LeaseJobsMutation } from '../../generated/executor/graphql.ts';
import { parseDuration } from '../../platform/duration.ts';
import { isRecord } from '../../values/json.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { outcomeOf, type Place, problemsText } from '../../values/problem-list.ts';
import { parseQuantity } from '../../values/quantities.ts';
import { typedInterface } from '../../values/read-literal-types.ts';
import { literal } from '../../values/read-literals.ts';
import {
  checked,
  defaulting,
  type Field,
  fields,
  jsonObject,
  list,
  mapOf,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';
import { RunError } from './run-error.ts';

type LeaseAnswer = Extract<NonNullable<LeaseJobsMutation['leaseJobs']>, { __typename: 'LeaseJobsPayload' }>;
/** A run as the server sends it. */
export type LeasedRun = LeaseAnswer['runs'][number];

export interface NamedQuantity {
  /** `CPU`, `MEMORY` …, with the names that tasks use. */
  readonly name: string;
  /** A Kubernetes quantity. */
  readonly value: string;
}

export interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly key: string; readonly value: string }[];
  /** What the run needs, and the most that it may use. */
  readonly resources: {
    readonly requests: readonly NamedQuantity[];
    readonly limits: readonly NamedQuantity[];
  };
}

/** A taint that a run tolerates. Source: Kubernetes. */
export interface Toleration {
  /** Empty, with `Exists`: every taint. */
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  /** Null: whatever the effect. */
  readonly effect: string | null;
}

/** Where a run may start, and how it is labelled there. */
export interface Placing {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

/** One leased attempt of a job. */
export interface RunSpec extends Placing {
  readonly runId: string;
  readonly jobId: string;
  /** The name of its queue; absent in the records of earlier releases. */
  readonly queue?: string;
  readonly container: Container;
  readonly interface: TypedInterface;
  /** Plain values by name. The value of a blob is its URI, such as `slipway://blobs/<uuid>`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The inputs that plain values do not say completely. For these, the literal counts. */
  readonly inputLiterals: LiteralMap;
  /** The machine that the server has chosen; null if it has chosen none. */
  readonly node: string | null;
  /** Counted from the start of the command, not of the lease. */
  readonly timeoutSeconds: number | null;
  readonly terminationGraceSeconds: number;
  /**
   * Further `SLIPWAY_…` variables: project, domain, name, node, attempt. They replace the container's own variables.
   */
  readonly environment: Readonly<Record<string, string>>;
}

/** Ignores fields that only a later server knows. */
function known<T extends object>(
  shape: {
    readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>>;
  },
): Reader<T> {
  const read = fields<T>(shape);
  return (value, place) =>
    read(
      isRecord(value)
        ? Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(shape, key)))
        : value,
      place,
    );
}

const quantity: Reader<string> = checked(text, (value, place) => {
  if (parseQuantity(value) === null) place.report('InvalidValue', 'expected a quantity such as 500m or 2Gi');
});
const quantities = defaulting(
  list(known<NamedQuantity>({ name: required(text), value: required(quantity) })),
  [],
);

const container = known<Container>({
  image: defaulting(text, ''),
  command: defaulting(list(text), []),
  args: defaulting(list(text), []),
  env: defaulting(list(known({ key: required(anyText), value: required(anyText) })), []),
  resources: defaulting(known({ requests: quantities, limits: quantities }), { requests: [], limits: [] }),
});

/** Also a text that the environment refuses, which has a better message. */
function anyText(value: unknown, place: Place): string | undefined {
  return typeof value === 'string' ? value : text(value, place);
}

const texts = defaulting(mapOf(anyText, text), {});

const toleration = known<Toleration>({
  key: defaulting(anyText, ''),
  operator: defaulting(text, 'Equal'),
  value: defaulting(anyText, ''),
  effect: defaulting<string | null>((value, place) => (value === null ? null : text(value, place)), null),
});

type Parts = Pick<RunSpec, 'container' | 'interface' | 'inputs' | 'inputLiterals' | 'environment'> & Placing;

const parts = known<Parts>({
  namespace: defaulting(text, 'default'),
  labels: texts,
  annotations: texts,
  nodeSelector: texts,
  tolerations: defaulting(list(toleration), []),
  container: required(container),
  interface: required(typedInterface),
  inputs: defaulting(jsonObject, {}),
  inputLiterals: defaulting(mapOf(literal, text), {}),
  environment: texts,
});

/** @throws RunError `InvalidRun` (SYSTEM) if this executor does not understand what the server has sent. */
export function readLeasedRun(leased: LeasedRun): RunSpec {
  const { activeDeadline } = leased;
  return {
    ...readParts(leased),
    runId: leased.id,
    jobId: leased.jobId,
    ...('queue' in leased ? { queue: leased.queue } : {}),
    node: 'node' in leased && typeof leased.node === 'string' ? leased.node : null,
    timeoutSeconds: activeDeadline === null ? null : secondsOf(activeDeadline),
    terminationGraceSeconds: secondsOf(leased.terminationGrace),
  };
}

/** Checks the parts that can be large or are JSON. @throws RunError `InvalidRun` */
export function readParts(given: object) {
  const read = outcomeOf([], (place) => parts(given, place));
  if (!read.ok) throw invalid(problemsText(read));
  return read.value;
}

function secondsOf(duration: string): number {
  const milliseconds = parseDuration(duration);
  if (milliseconds === null) throw invalid(`${duration} is not a duration`);
  return milliseconds / 1000;
}

function invalid(message: string): RunError {
  return new RunError('SYSTEM', 'InvalidRun', `the executor does not understand the run: ${message}`);
}
