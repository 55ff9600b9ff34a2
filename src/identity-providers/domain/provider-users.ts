import type { Role } from '../../generated/prisma/enums.ts';

/** Whether an identity provider may sign in a user at all: nobody else may have the rights of the whole server. */
export const mayUseProvider = ({ role }: { readonly role: Role }): boolean =>
  role !== 'ROOT' && role !== 'SYSTEM';
