import type { Place } from '../../../values/problem-list.ts';
import type { GangRequest } from '../submission.ts';
import type { GivenGang } from './given-job.ts';

/** The annotations by which programs that were written for Armada describe gangs. */
const ID = 'armadaproject.io/gangId';
const CARDINALITY = 'armadaproject.io/gangCardinality';
const UNIFORMITY_LABEL = 'armadaproject.io/gangNodeUniformityLabel';
const FAIL_FAST = 'armadaproject.io/failFast';

type Annotations = Readonly<Record<string, string>>;

interface Given {
  readonly gang?: GivenGang | null;
  readonly failFast?: boolean | null;
}

/**
 * The gang of a job, from its field or from Armada's annotations, and whether the job fails with its first lost attempt.
 * The jobs of a gang always do, unless the gang has one job only.
 *
 * Source: Armada `internal/server/submit/validation`.
 */
export function readGang(
  given: Given,
  annotations: Annotations,
  place: Place,
): { readonly gang: GangRequest | null; readonly failFast: boolean } {
  const gang = given.gang ? ofField(given.gang) : ofAnnotations(annotations, place.at('annotations'));
  if (given.gang && annotations[ID] !== undefined)
    place.at('annotations', ID).report('InvalidValue', 'give `gang` or this annotation, not both');
  const annotated = readFailFast(annotations[FAIL_FAST], place.at('annotations', FAIL_FAST));
  const asked = given.failFast ?? annotated;
  const isGang = (gang?.cardinality ?? 1) > 1;
  if (isGang && asked === false) {
    const at = given.failFast === false ? place.at('failFast') : place.at('annotations', FAIL_FAST);
    at.report('InvalidValue', 'the jobs of a gang always fail with their first lost attempt');
  }
  return { gang, failFast: asked ?? isGang };
}

const ofField = ({ id, cardinality, nodeUniformityLabel = null }: GivenGang): GangRequest => ({
  name: id,
  cardinality,
  uniformityLabel: nodeUniformityLabel === '' ? null : nodeUniformityLabel,
});

function ofAnnotations(annotations: Annotations, place: Place): GangRequest | null {
  const id = annotations[ID];
  if (id === undefined) return null;
  if (id === '') place.at(ID).report('InvalidValue', 'the id of a gang must not be empty');
  const text = annotations[CARDINALITY];
  if (text === undefined)
    place.at(CARDINALITY).report('MissingField', 'a job with the id of a gang needs its number of jobs');
  else if (!/^[1-9]\d{0,8}$/.test(text))
    place.at(CARDINALITY).report('InvalidValue', 'must be a whole number of at least 1');
  return {
    name: id === '' ? 'unnamed' : id,
    cardinality: Number.parseInt(text ?? '', 10) || 1,
    uniformityLabel: annotations[UNIFORMITY_LABEL] || null,
  };
}

function readFailFast(text: string | undefined, place: Place): boolean | null {
  if (text === undefined) return null;
  if (text !== 'true' && text !== 'false') place.report('InvalidValue', 'must be true or false');
  return text !== 'false';
}
