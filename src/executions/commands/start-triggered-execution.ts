import { isAllowed } from '../../authorization/can.ts';
import type { LaunchPlan, Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { MAX_TRIGGER_DEPTH, MAX_TRIGGERED, type TriggerInput } from '../../registry/domain/triggers.ts';
import { entryOf } from '../../values/json.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { Place } from '../../values/problem-list.ts';
import { executionTarget } from '../domain/targets.ts';
import { readExecutionData } from '../store/data.ts';
import { readExecutions } from '../store/reads.ts';
import { countInChain, findTriggerChain } from '../store/trigger-firings.ts';
import { createExecution } from './create-execution.ts';

interface TriggeredRequest {
  readonly plan: LaunchPlan;
  /** The inputs that get outputs of the execution that has ended. */
  readonly inputs: readonly TriggerInput[];
  /** The execution that has ended. */
  readonly sourceId: string;
  /** Ends the firing, in the transaction that stores the new execution. */
  record(tx: Tx): Promise<void>;
}

/**
 * Starts the execution of a trigger, as the user who activated it. Its inputs are outputs of the execution that has ended,
 * and the launch plan's own.
 *
 * @returns false if the caller may not read the execution that has ended, as if that had not happened.
 * @throws FailedPreconditionError if too many triggers have followed each other; ResourceExhaustedError if the end of one
 * execution has led to too many others; InvalidArgumentError if the execution
 * does not have an output; the errors of `createExecution`.
 */
export async function startTriggeredExecution(
  caller: Caller,
  project: Project,
  { plan, inputs, sourceId, record }: TriggeredRequest,
): Promise<boolean> {
  const [source] = await readExecutions(caller.tenantId, [{ id: sourceId }]);
  if (!source) return false;
  const target = async () => executionTarget(source);
  if (!(await isAllowed(caller, 'execution:read', { target }))) return false;
  const { depth, firstId } = await findTriggerChain(sourceId);
  if (depth >= MAX_TRIGGER_DEPTH)
    throw new FailedPreconditionError(
      `${MAX_TRIGGER_DEPTH} triggers have followed each other, and more are not allowed: do launch plans trigger each other in a ring?`,
    );
  await createExecution(caller, project, {
    domain: plan.domain,
    name: null,
    launchPlan: { by: { id: plan.id }, find: async () => plan },
    inputs: null,
    inputLiterals: inputs.length > 0 ? takenInputs(inputs, await outputsOf(sourceId)) : null,
    settings: {},
    engine: 'SLIPWAY',
    triggered: {
      sourceId,
      async record(tx) {
        await record(tx);
        if (!(await countInChain(tx, { id: firstId, tenantId: caller.tenantId }, MAX_TRIGGERED)))
          throw tooMany();
      },
    },
  });
  return true;
}

const tooMany = () =>
  new ResourceExhaustedError(
    `the end of one execution has led to ${MAX_TRIGGERED} others through triggers, and more are not allowed: do several launch plans trigger each other?`,
  );

async function outputsOf(executionId: string): Promise<LiteralMap> {
  const [data] = await readExecutionData([executionId]);
  return data?.outputs ?? {};
}

/** @throws InvalidArgumentError with all outputs that are missing. */
function takenInputs(inputs: readonly TriggerInput[], outputs: LiteralMap): LiteralMap {
  const place = new Place(['input', 'inputs']);
  const taken = inputs.flatMap(({ var: input, output }): (readonly [string, Literal])[] => {
    const value = entryOf(outputs, output);
    if (value !== undefined) return [[input, value]];
    place.at(input).report('VariableNameNotFound', `the execution that has ended has no output ${output}`);
    return [];
  });
  if (place.problems.size > 0) throw new InvalidArgumentError(place.problems.all);
  return Object.fromEntries(taken);
}
