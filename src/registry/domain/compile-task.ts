import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { taskTemplate } from './read-task-templates.ts';
import { checkPlatformLimits } from './task-resources.ts';
import type { ResourceEntry, TaskTemplate } from './task-templates.ts';

/**
 * Checks a task template that came from outside and answers its canonical form: absent lists empty, unordered ones
 * sorted, durations in their normal text.
 *
 * @param platformLimits  what a container may ask for at most, where the platform sets a limit.
 * @throws InvalidArgumentError with all problems of its fields, in the order of Flyte's checks: type, metadata, the
 *   runtime's version, interface, image, resources. Once every field reads well: two targets at once, a container
 *   with inputs or outputs but neither command nor arguments, resources above the platform's.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/task_validator.go` and
 *   `flytepropeller/pkg/compiler/task_compiler.go`.
 */
export function compileTask(
  template: unknown,
  {
    path = ['input', 'template'],
    platformLimits = [],
  }: {
    path?: readonly string[];
    platformLimits?: readonly ResourceEntry[];
  } = {},
): TaskTemplate {
  const place = new Place(path);
  const task = valueOrThrow(taskTemplate(template, place), place);
  checkTarget(task, place);
  if (task.container) {
    checkCommand(task, place.at('container', 'command'));
    checkPlatformLimits(task.container.resources, platformLimits, place.at('container', 'resources'));
  }
  place.problems.throwIfAny();
  return task;
}

function checkTarget(task: TaskTemplate, place: Place): void {
  const targets = (['container', 'k8sPod', 'sql'] as const).filter((target) => task[target]);
  if (targets.length > 1) {
    place.report('InvalidValue', `a task must have at most one target, got ${targets.join(' and ')}`);
  }
}

function checkCommand({ container, interface: { inputs, outputs } }: TaskTemplate, place: Place): void {
  const exchangesData = Object.keys(inputs).length + Object.keys(outputs).length > 0;
  if (exchangesData && !container?.command.length && !container?.args.length) {
    place.report('ValueRequired', 'a container with inputs or outputs needs a command or arguments');
  }
}
