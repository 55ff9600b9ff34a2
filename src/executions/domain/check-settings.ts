import { checkAttributes, checkExecutionConfig, checkName } from '../../attributes/domain/payload-checks.ts';
import type { Place } from '../../values/problem-list.ts';
import type { ExecutionSettings } from './execution-spec.ts';

const MAX_TAGS = 100;
const MAX_TIMEOUT_DAYS = 366;
const MILLISECONDS_PER_DAY = 86_400_000;

/** Reports all problems of the settings of a request, with the limits that attributes have. */
export function checkSettings(settings: ExecutionSettings, place: Place): void {
  checkExecutionConfig(settings, place);
  const { qualityOfService, clusterAssignment, executionClusterLabel, tags = [] } = settings;
  if (qualityOfService)
    checkAttributes({ resourceType: 'QUALITY_OF_SERVICE_SPECIFICATION', payload: qualityOfService }, place);
  if (clusterAssignment)
    checkAttributes({ resourceType: 'CLUSTER_ASSIGNMENT', payload: clusterAssignment }, place);
  if (executionClusterLabel)
    checkAttributes({ resourceType: 'EXECUTION_CLUSTER_LABEL', payload: executionClusterLabel }, place);
  checkTimeout(settings.timeoutMilliseconds, place.at('timeout'));
  if (tags.length > MAX_TAGS) {
    place.at('tags').report('TooLarge', `must have at most ${MAX_TAGS} tags`);
    return;
  }
  for (const [at, tag] of tags.entries()) {
    checkName(tag, place.at('tags', at), 'tag');
    if (tags.indexOf(tag) < at) place.at('tags', at).report('DuplicateId', 'this tag is given twice');
  }
}

function checkTimeout(milliseconds: number | undefined, place: Place): void {
  if (milliseconds === undefined) return;
  if (milliseconds <= 0) place.report('InvalidValue', 'must be longer than zero');
  if (milliseconds > MAX_TIMEOUT_DAYS * MILLISECONDS_PER_DAY)
    place.report('TooLarge', `must be at most ${MAX_TIMEOUT_DAYS} days`);
}
