import type { ExecutionState } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';

const setState = statement<{ id: string }>(
  `update executions set state = $2::execution_state, state_changed_at = now(), state_changed_by_id = $3::uuid,
          updated_at = now()
    where id = $1::uuid and state <> $2::execution_state
   returning id`,
);

/** Sets the state. If the execution has it already, nothing changes, also not who set it. */
export async function setExecutionState(id: string, state: ExecutionState, userId: string): Promise<void> {
  await run(setState, [id, state, userId]);
}
