/** `redirectUris` is `redirect_uris` in Hydra's JSON. */
export const hydraName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The members of an object under Hydra's names, without those that are null or left out. */
export const hydraMembers = (members: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [hydraName(name), value]),
  );
