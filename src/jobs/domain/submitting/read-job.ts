import { labelProblems } from '../../../platform/labels.ts';
import { readGivenInputs } from '../../../values/given-inputs.ts';
import { isRecord, mapRecord } from '../../../values/json.ts';
import type { TypedInterface } from '../../../values/literal-types.ts';
import { literalsBesidePlain } from '../../../values/literals-beside-plain.ts';
import { toPlain } from '../../../values/plain-values.ts';
import type { Place } from '../../../values/problem-list.ts';
import { typedInterface } from '../../../values/read-literal-types.ts';
import { isAbsent } from '../../../values/readers.ts';
import { isDnsLabel } from '../dns-label.ts';
import type { JobSpec } from '../job-spec.ts';
import type { Toleration } from '../scheduling/matching.ts';
import type { JobRequest } from '../submission.ts';
import type { Entry, GivenJob, GivenToleration } from './given-job.ts';
import { jobEnvironment, OWN_PREFIX } from './job-environment.ts';
import { valuesWithJobId } from './job-texts.ts';
import { type DeadlineRules, readDeadline, readGrace } from './job-times.ts';
import { readGang } from './read-gang.ts';
import { type ResourceRules, readResources } from './read-resources.ts';

/** A job that a user submits, checked and with all defaults. */
export interface PlainJob extends JobRequest {
  readonly id: string;
  readonly spec: JobSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly activeDeadlineSeconds: number | null;
  readonly pool: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  readonly failFast: boolean;
  readonly onPreemption: 'FAIL' | 'REQUEUE';
  readonly namespace: string;
  readonly externalUri: string | null;
  readonly maxAttempts?: number;
}

/** What the operator says about jobs. */
export interface JobRules {
  readonly resources: ResourceRules;
  readonly deadlines: DeadlineRules;
  /** The keys of taints that jobs may not tolerate. */
  readonly restrictedTolerations: readonly string[];
}

export interface NewJobPlace {
  readonly jobId: string;
  readonly queue: string;
  readonly jobSet: string;
}

const MAX_ATTEMPTS = 100;
const VARIABLE = /^[A-Za-z_.-][A-Za-z0-9_.-]*$/;
const MAX_SPEC_BYTES = 65_535;
const MAX_ANNOTATIONS = 64;
const MAX_ANNOTATION_BYTES = 65_536;
const MAX_TOLERATIONS = 16;
const MAX_IMAGE = 1024;
const MAX_URI = 1024;

/**
 * Checks a job of a user and fills in what it leaves out. All problems are reported at their places; then the job must
 * not be stored. `submissionProblems` checks the rest: client id, priority, class and gang.
 *
 * Source: Armada's SubmitJobs.
 */
export function readJob(given: GivenJob, rules: JobRules, at: NewJobPlace, place: Place): PlainJob {
  const annotations = readAnnotations(given.annotations ?? [], at.jobId, place.at('annotations'));
  const { gang, failFast } = readGang(given, annotations, place);
  const env = readEnv(given.container.env ?? [], place.at('container', 'env'));
  const resources = readResources(
    given.container.resources ?? {},
    rules.resources,
    place.at('container', 'resources'),
  );
  const { image, command, args } = given.container;
  if (image.trim() === '') place.at('container', 'image').report('InvalidValue', 'must not be empty');
  if (image.length > MAX_IMAGE)
    place.at('container', 'image').report('TooLarge', `must have at most ${MAX_IMAGE} characters`);
  const container = { image, command: [...(command ?? [])], args: [...(args ?? [])], env, resources };
  requireSmall(container, place.at('container'));
  const { externalUri = null, maxAttempts } = given;
  if (externalUri === '' || (externalUri?.length ?? 0) > MAX_URI)
    place.at('externalUri').report('InvalidValue', `must have 1 to ${MAX_URI} characters`);
  if (maxAttempts != null && (maxAttempts < 1 || maxAttempts > MAX_ATTEMPTS))
    place.at('maxAttempts').report('InvalidValue', `must be 1 to ${MAX_ATTEMPTS}`);
  return {
    id: at.jobId,
    clientId: given.clientId ?? null,
    priority: given.priority ?? 0,
    priorityClass: given.priorityClass ?? null,
    ...(gang ? { gang } : {}),
    failFast,
    labels: readLabels(given.labels ?? [], place.at('labels'), at.jobId),
    annotations,
    nodeSelector: readLabels(given.nodeSelector ?? [], place.at('nodeSelector')),
    tolerations: readTolerations(given.tolerations ?? [], rules, place.at('tolerations')),
    pool: readName(given.pool, place.at('pool')),
    namespace: readName(given.namespace, place.at('namespace')),
    onPreemption: given.onPreemption ?? 'FAIL',
    externalUri,
    ...(maxAttempts == null ? {} : { maxAttempts }),
    activeDeadlineSeconds: readDeadline(
      given.activeDeadline ?? null,
      resources.requests,
      rules.deadlines,
      place.at('activeDeadline'),
    ),
    spec: {
      container,
      ...readInterface(given, place),
      environment: jobEnvironment(at, gang, env),
      terminationGraceSeconds: readGrace(given.terminationGrace ?? null, place.at('terminationGrace')),
    },
  };
}

function readName(name: string | null | undefined, place: Place): string {
  if (name != null && !isDnsLabel(name)) place.report('InvalidValue', 'must be a DNS-1123 label');
  return name ?? 'default';
}

function readMap(entries: readonly Entry[], place: Place): Record<string, string> {
  const map = new Map<string, string>();
  for (const { key, value } of entries) {
    if (map.has(key)) place.at(key).report('DuplicateId', `${key} is given twice`);
    map.set(key, value);
  }
  return Object.fromEntries(map);
}

function readLabels(entries: readonly Entry[], place: Place, jobId?: string): Record<string, string> {
  const given = readMap(entries, place);
  const labels = jobId === undefined ? given : valuesWithJobId(given, jobId);
  for (const problem of labelProblems(labels, place.path)) place.problems.add(() => problem);
  return labels;
}

function readAnnotations(entries: readonly Entry[], jobId: string, place: Place): Record<string, string> {
  const annotations = valuesWithJobId(readMap(entries, place), jobId);
  if (entries.length > MAX_ANNOTATIONS)
    place.report('TooLarge', `must have at most ${MAX_ANNOTATIONS} annotations`);
  else
    for (const key of Object.keys(annotations))
      for (const problem of labelProblems({ [key]: '' }, place.path)) place.problems.add(() => problem);
  if (Buffer.byteLength(JSON.stringify(annotations)) > MAX_ANNOTATION_BYTES)
    place.report('TooLarge', `must have at most ${MAX_ANNOTATION_BYTES} bytes together`);
  return annotations;
}

function readEnv(entries: readonly Entry[], place: Place): Entry[] {
  readMap(entries, place);
  for (const { key } of entries) {
    if (!VARIABLE.test(key))
      place.at(key).report('InvalidValue', 'this is not a valid name of an environment variable');
    if (key.startsWith(OWN_PREFIX))
      place.at(key).report('InvalidValue', `names that begin with ${OWN_PREFIX} are set by the server`);
  }
  return entries.map(({ key, value }) => ({ key, value }));
}

function readTolerations(
  entries: readonly GivenToleration[],
  { restrictedTolerations }: JobRules,
  place: Place,
): Toleration[] {
  if (entries.length > MAX_TOLERATIONS)
    place.report('TooLarge', `must have at most ${MAX_TOLERATIONS} tolerations`);
  return entries.slice(0, MAX_TOLERATIONS).map((entry, index) => {
    const at = place.at(index);
    const { key, operator, value, effect } = entry;
    const toleration = {
      key: key ?? '',
      operator: operator ?? 'Equal',
      value: value ?? '',
      effect: effect ?? null,
    } as const;
    if (toleration.key === '') {
      if (toleration.operator !== 'Exists')
        at.at('key').report('MissingField', 'only a toleration with the operator Exists may have no key');
      else if (restrictedTolerations.length > 0)
        at.at('key').report('InvalidValue', 'a job may not tolerate all taints; name them');
    } else {
      for (const problem of labelProblems({ [toleration.key]: '' }, at.at('key').path))
        at.problems.add(() => ({ ...problem, path: at.at('key').path }));
    }
    if (restrictedTolerations.includes(toleration.key))
      at.at('key').report('InvalidValue', `jobs may not tolerate the taint ${toleration.key}`);
    if (toleration.operator === 'Exists' && toleration.value !== '')
      at.at('value').report('InvalidValue', 'a toleration with the operator Exists has no value');
    return toleration;
  });
}

/** A job without an interface has no inputs and no outputs. */
function readInterface(
  given: GivenJob,
  place: Place,
): Pick<JobSpec, 'interface' | 'inputs' | 'inputLiterals'> {
  const nothing: TypedInterface = { inputs: {}, outputs: {} };
  const signature = isAbsent(given.interface)
    ? nothing
    : (typedInterface(given.interface, place.at('interface')) ?? nothing);
  const values = readGivenInputs(
    { plain: given.inputs, literals: undefined },
    { plain: 'inputs', literals: 'inputs' },
    signature.inputs,
    place,
  );
  const plain = isRecord(given.inputs) ? given.inputs : {};
  for (const name of Object.keys(signature.inputs))
    if (!Object.hasOwn(plain, name))
      place.at('inputs', name).report('MissingField', `the input ${name} has no value`);
  requireSmall(given.inputs ?? null, place.at('inputs'));
  requireSmall(given.interface ?? null, place.at('interface'));
  return {
    interface: signature,
    inputs: mapRecord(values, toPlain),
    inputLiterals: literalsBesidePlain(signature.inputs, values),
  };
}

function requireSmall(value: unknown, place: Place): void {
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_SPEC_BYTES)
    place.report('TooLarge', `must have at most ${MAX_SPEC_BYTES} bytes as JSON`);
}
