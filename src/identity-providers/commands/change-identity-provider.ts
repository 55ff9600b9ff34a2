import { recordChange } from '../../authorization/audit.ts';
import { type GroupBy, groupKeyOf, groupReader, readGroups } from '../../authorization/store/groups.ts';
import type { Caller } from '../../platform/caller.ts';
import { isForeignKeyViolation, isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import {
  type GroupRule,
  type ProviderSettings,
  readProviderSettings,
  requireGoodRules,
  requireGoodSecret,
} from '../domain/provider-settings.ts';
import {
  insertProvider,
  type ProviderRow,
  readRulesOf,
  replaceRules,
  storeProvider,
} from '../store/identity-providers.ts';

export interface WantedProvider {
  readonly settings: unknown;
  readonly groups: readonly { readonly value: string; readonly group: GroupBy }[];
  /** Null for none; undefined keeps the one that is stored. */
  readonly clientSecret: string | null | undefined;
}

/**
 * Lets people of the tenant sign in with an identity provider.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if the name is taken; NotFoundError if a group was
 * deleted in the meantime.
 */
export async function createIdentityProvider(caller: Caller, wanted: WantedProvider): Promise<ProviderRow> {
  const settings = checked(wanted);
  const rules = await rulesOf(caller, wanted);
  return await storing(() =>
    inTransaction(async (tx) => {
      const row = await insertProvider(tx, caller.tenantId, settings, wanted.clientSecret ?? null);
      await replaceRules(tx, row, rules);
      await record(tx, caller, row, { before: null, after: { ...settings, groups: rules } });
      return row;
    }),
  );
}

/**
 * Replaces all settings of an identity provider.
 *
 * @throws as createIdentityProvider does.
 */
export async function updateIdentityProvider(
  caller: Caller,
  provider: ProviderRow,
  wanted: WantedProvider,
): Promise<ProviderRow> {
  const settings = checked(wanted);
  const rules = await rulesOf(caller, wanted);
  return await storing(() =>
    inTransaction(async (tx) => {
      const groups = await readRulesOf(provider, tx);
      const row = await storeProvider(tx, provider.id, settings, wanted.clientSecret);
      if (!row) throw new NotFoundError('identity provider', provider.name, ['input', 'by']);
      await replaceRules(tx, row, rules);
      const hasNewSecret = wanted.clientSecret !== undefined;
      await record(tx, caller, row, {
        before: { ...shownOf(provider), groups },
        after: { ...settings, groups: rules, ...(hasNewSecret ? { hasNewSecret } : {}) },
      });
      return row;
    }),
  );
}

function checked({ settings: given, groups, clientSecret }: WantedProvider): ProviderSettings {
  const settings = readProviderSettings(given, ['input', 'identityProvider']);
  requireGoodRules(groups, settings.groupsClaim, ['input', 'identityProvider', 'groups']);
  if (typeof clientSecret === 'string') requireGoodSecret(clientSecret, ['input', 'clientSecret']);
  return settings;
}

/** @throws NotFoundError; InvalidArgumentError */
async function rulesOf(caller: Caller, { groups }: WantedProvider): Promise<GroupRule[]> {
  const found = await readGroups(
    groupReader(caller),
    groups.map(({ group }) => group),
  );
  return groups.map(({ value, group: by }, index) => {
    const path = ['input', 'identityProvider', 'groups', String(index), 'group'];
    const group = found[index];
    if (!group?.isVisible) throw new NotFoundError('group', groupKeyOf(by), path);
    if (group.isEveryone) throw InvalidArgumentError.of(path, 'every user of the tenant is in this group');
    return { value, groupId: group.id };
  });
}

/** The settings of a provider for the audit log, without its secret. */
export function shownOf(provider: ProviderRow): ProviderSettings {
  const { name, issuer, clientId, scopes, usernameClaim, groupsClaim, linksByPassword, isEnabled } = provider;
  const newUserRole = provider.newUserRole as ProviderSettings['newUserRole'];
  return {
    ...{ name, issuer, clientId, scopes, usernameClaim, groupsClaim, newUserRole },
    ...{ linksByPassword, isEnabled },
  };
}

const record = (
  tx: Tx,
  caller: Caller,
  { id, name }: ProviderRow,
  change: { readonly before: object | null; readonly after: object | null },
) =>
  recordChange(tx, caller, {
    action: 'identityProvider:administer',
    target: { type: 'identity provider', id, name },
    ...change,
  });

async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error))
      throw new AlreadyExistsError('an identity provider with this name already exists', {
        path: ['input', 'identityProvider', 'name'],
      });
    if (isForeignKeyViolation(error))
      throw new NotFoundError('group', 'in the list of groups', ['input', 'identityProvider', 'groups']);
    throw error;
  }
}
