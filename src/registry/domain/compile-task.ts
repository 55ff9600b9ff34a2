import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { taskTemplate } from './read-task-templates.ts';
import { checkPlatformLimits } from './task-resources.ts';
import type { ResourceEntry, TaskTemplate } from './task-templates.ts';

/**
 * Checks a task template from outside and returns its canonical form: absent lists are empty, lists without a
 * meaningful order are sorted, and durations have their normal text.
 *
 * @param platformLimits  the most that a container may request, for resources with a limit of the platform.
 * @param isTypeAllowed  whether tasks of this type may be registered in the domain of the project.
 * @throws InvalidArgumentError with all problems of its fields, in the order of Flyte's checks: type, metadata, the
 * version of the runtime, interface, image, resources. If all fields are valid, it reports the problems of the whole:
 * resources above the platform's limits, a type that is not allowed, two targets at once, and a container with inputs or
 * outputs but without command and arguments.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/task_validator.go` and
 * `flytepropeller/pkg/compiler/task_compiler.go`.
 */
export function compileTask(
  template: unknown,
  {
    path = ['input', 'template'],
    platformLimits = [],
    isTypeAllowed = () => true,
  }: {
    path?: readonly string[];
    platformLimits?: readonly ResourceEntry[];
    isTypeAllowed?: (type: string) => boolean;
  } = {},
): TaskTemplate {
  const place = new Place(path);
  const task = valueOrThrow(taskTemplate(template, place), place);
  if (task.container)
    checkPlatformLimits(task.container.resources, platformLimits, place.at('container', 'resources'));
  if (!isTypeAllowed(task.type))
    place.at('type').report('InvalidValue', `tasks of type ${task.type} must not be registered here`);
  checkTarget(task, place);
  if (task.container) checkCommand(task, place.at('container', 'command'));
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
