import { recordChange } from '../../authorization/audit.ts';
import type { ExecutorSettings } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { cordonReasonFault } from '../domain/cordons.ts';
import { isDnsLabel } from '../domain/dns-label.ts';
import { lockSettings, type SettingsColumns, storeSettings, wakePoolOf } from '../store/cordons.ts';

export interface SettingsRequest extends SettingsColumns {
  readonly name: string;
}

/**
 * Cordons an executor or opens it again. A cordoned executor gets no new work, and its runs go on. The executor need not
 * exist yet. Settings that are repeated change nothing.
 *
 * @throws InvalidArgumentError. Source: Armada's UpsertExecutorSettings.
 */
export async function upsertExecutorSettings(
  caller: Caller,
  { name, cordoned, cordonReason }: SettingsRequest,
  now: Date,
): Promise<ExecutorSettings> {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (!isDnsLabel(name)) fault('name', 'the name of an executor must be a DNS-1123 label');
  const reasonFault = cordoned
    ? cordonReasonFault(cordonReason)
    : cordonReason && 'only a cordon has a reason';
  if (reasonFault) fault('cordonReason', reasonFault);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const key = { tenantId: caller.tenantId, name };
  return await inTransaction(async (tx) => {
    const before = await lockSettings(tx, key, caller.userId);
    const settings = { cordoned, cordonReason: cordoned ? cordonReason : null };
    if (before.cordoned === settings.cordoned && before.cordonReason === settings.cordonReason) return before;
    const after = await storeSettings(tx, before.id, { ...settings, setById: caller.userId, updatedAt: now });
    await recordChange(tx, caller, {
      action: 'executor:administer',
      target: { type: 'executor', id: null, name },
      before: { cordoned: before.cordoned, cordonReason: before.cordonReason },
      after: settings,
    });
    if (!cordoned) await wakePoolOf(tx, key);
    return after;
  });
}
