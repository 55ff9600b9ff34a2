/** The parts of a user that clients may know. */
export interface DescribedUser {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly email: string | null;
  readonly avatar: string | null;
  readonly updatedAt: Date;
}

/** The claims about a user of Slipway. Source: OpenID Connect Core §5.1. */
export function userClaims(user: DescribedUser): Record<string, string | number> {
  const claims = {
    ...{ sub: user.id, preferred_username: user.username, name: user.name },
    ...{ given_name: user.givenName, family_name: user.familyName, email: user.email, picture: user.avatar },
    updated_at: Math.floor(user.updatedAt.getTime() / 1000),
  };
  const isSet = (claim: [string, string | number | null]): claim is [string, string | number] =>
    claim[1] !== null;
  return Object.fromEntries(Object.entries(claims).filter(isSet));
}
