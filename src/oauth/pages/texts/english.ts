import { permissionTexts } from '../../../authorization/domain/permission-texts.ts';

/** Texts that name something: the function gets the name. */
type Named = (name: string) => string;

/** All texts of the pages, for one language. */
export interface PageTexts {
  /** Of BCP 47. */
  readonly language: string;
  readonly login: {
    readonly title: string;
    readonly toClient: Named;
    readonly username: string;
    readonly password: string;
    readonly remember: string;
    readonly rememberHint: string;
    readonly submit: string;
    readonly cancel: string;
    readonly wrong: string;
    readonly missing: string;
    readonly notAllowed: string;
    readonly tooMany: (minutes: number) => string;
    readonly busy: string;
    readonly or: string;
    readonly withProvider: Named;
    readonly providerCancelled: Named;
    readonly providerRefused: Named;
    readonly providerSilent: Named;
  };
  readonly link: {
    readonly title: string;
    readonly text: (account: string, provider: string) => string;
    readonly submit: string;
    readonly taken: string;
    readonly unknown: string;
    readonly unknownText: (account: string, provider: string) => string;
  };
  readonly consent: {
    readonly title: Named;
    readonly signedInAs: Named;
    readonly otherPerson: string;
    readonly asks: string;
    readonly audience: string;
    readonly remember: string;
    readonly rememberHint: string;
    readonly allow: string;
    readonly deny: string;
    readonly sentTo: Named;
    readonly toDevice: string;
    readonly policy: string;
    readonly terms: string;
  };
  readonly device: {
    readonly title: string;
    readonly text: string;
    readonly code: string;
    readonly hint: string;
    readonly submit: string;
    readonly wrong: string;
    readonly done: string;
    readonly doneText: string;
  };
  readonly logout: {
    readonly title: string;
    readonly byClient: Named;
    readonly signedInAs: Named;
    readonly text: string;
    readonly submit: string;
    readonly cancel: string;
    readonly done: string;
    readonly doneText: string;
    readonly stayed: string;
    readonly stayedText: string;
  };
  readonly goOn: { readonly title: string; readonly text: string; readonly button: string };
  readonly problem: {
    readonly title: string;
    readonly text: string;
    readonly code: string;
    readonly description: string;
  };
  readonly stale: { readonly title: string; readonly text: string };
  readonly scopes: {
    /** Scopes that are not permissions. */
    readonly known: Readonly<Record<string, string>>;
    /** A scope that only the client knows. */
    readonly unknown: string;
    /** What a permission allows; null if this language has no text for it. */
    permission(name: string): string | null;
    /** All permissions about one kind of things. */
    readonly allOf: Named;
    /** One permission about all kinds of things. */
    readonly onAll: Named;
  };
}

/** The text of a name that somebody else has chosen. */
export const textIn = (texts: Readonly<Record<string, string>>, name: string): string | null =>
  Object.hasOwn(texts, name) ? (texts[name] ?? null) : null;

export const english: PageTexts = {
  language: 'en',
  login: {
    title: 'Sign in',
    toClient: (client) => `to continue to ${client}`,
    username: 'User name',
    password: 'Password',
    remember: 'Stay signed in on this device',
    rememberHint: 'Not on a device that others use, too.',
    submit: 'Sign in',
    cancel: 'Cancel',
    wrong: 'The user name or the password is wrong.',
    missing: 'Enter your user name and your password.',
    notAllowed: 'This account cannot sign in to other applications.',
    tooMany: (minutes) =>
      `Too many sign-ins have failed. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    busy: 'The server is busy. Try again.',
    or: 'or',
    withProvider: (provider) => `Continue with ${provider}`,
    providerCancelled: (provider) => `${provider} has not signed you in.`,
    providerRefused: (provider) => `The answer of ${provider} is not valid. Try again.`,
    providerSilent: (provider) => `${provider} does not answer. Try again.`,
  },
  link: {
    title: 'Connect your account',
    text: (account, provider) =>
      `You have come as ${account} from ${provider}. Enter your user name and your password here once. From then on, ${provider} signs you in.`,
    submit: 'Connect and sign in',
    taken: 'This user, or this account, is connected already.',
    unknown: 'You have no account here',
    unknownText: (account, provider) =>
      `Nobody here belongs to ${account} from ${provider}. Ask an administrator.`,
  },
  consent: {
    title: (client) => `Allow ${client} access?`,
    signedInAs: (person) => `You are signed in as ${person}.`,
    otherPerson: 'Use another account',
    asks: 'It asks to:',
    audience: 'With this access, it can use these services:',
    remember: 'Do not ask again',
    rememberHint: 'The next time, this application gets the same access without this page.',
    allow: 'Allow',
    deny: 'Deny',
    sentTo: (place) => `Your browser then goes to ${place}.`,
    toDevice: 'Allow this only if you have just begun to sign in on a device of yours.',
    policy: 'Privacy policy',
    terms: 'Terms of service',
  },
  device: {
    title: 'Connect a device',
    text: 'Your device or program shows a code. Enter it only if you have just begun to sign in there yourself.',
    code: 'Code',
    hint: 'For example BCDF-GHJK. Upper and lower case do not matter.',
    submit: 'Continue',
    wrong: 'This code does not exist, was used already or has expired.',
    done: 'Your device is signed in',
    doneText: 'You can close this page and go back to your device.',
  },
  logout: {
    title: 'Sign out?',
    byClient: (client) => `${client} asks to sign you out.`,
    signedInAs: (person) => `You are signed in as ${person}.`,
    text: 'You sign out in this browser, and perhaps in the applications that you use in it.',
    submit: 'Sign out',
    cancel: 'Stay signed in',
    done: 'You are signed out',
    doneText: 'You can close this page.',
    stayed: 'You are still signed in',
    stayedText: 'You can close this page.',
  },
  goOn: {
    title: 'One moment',
    text: 'You are taken back to the application.',
    button: 'Continue',
  },
  problem: {
    title: 'This does not work',
    text: 'The application has sent a request that cannot be answered. Go back to it and try again, or tell the people who run it:',
    code: 'Error',
    description: 'Details',
  },
  stale: {
    title: 'This page is no longer valid',
    text: 'It has expired, it was used already, or it was opened in another browser. Go back to the application and sign in again.',
  },
  scopes: {
    known: {
      openid: 'Know who you are.',
      profile: 'See your name.',
      email: 'See your e-mail address.',
      offline: 'Keep this access while you are away.',
      offline_access: 'Keep this access while you are away.',
      all: 'Do everything in Slipway that you can do.',
      executor: 'Run jobs, as an executor.',
      engine: 'Report on executions, as an engine.',
      'login-app': 'Say who people are, as a login app.',
    },
    unknown: 'The application has not told us what this means.',
    permission: (name) => textIn(permissionTexts, name),
    allOf: (noun) => `Do everything with ${noun}.`,
    onAll: (verb) => `Use ${verb} everywhere in Slipway.`,
  },
};
