import { isId } from '../../platform/ids.ts';
import { findPrincipal, type Principal, plainSignIn } from '../../sign-in/principals.ts';

/** The user of Slipway who has signed in; null if an operator's login app has named somebody else. */
export async function findPerson(tenantId: string, subject: string): Promise<Principal | null> {
  const person = isId(subject) ? await findPrincipal(plainSignIn(subject)) : null;
  return person?.tenantId === tenantId ? person : null;
}
