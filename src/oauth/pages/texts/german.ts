import { type PageTexts, textIn } from './english.ts';
import { germanPermissions } from './german-permissions.ts';

export const german: PageTexts = {
  language: 'de',
  login: {
    title: 'Anmelden',
    toClient: (client) => `um mit ${client} fortzufahren`,
    username: 'Benutzername',
    password: 'Passwort',
    remember: 'Auf diesem Gerät angemeldet bleiben',
    rememberHint: 'Nicht auf einem Gerät, das auch andere benutzen.',
    submit: 'Anmelden',
    cancel: 'Abbrechen',
    wrong: 'Der Benutzername oder das Passwort ist falsch.',
    missing: 'Geben Sie Ihren Benutzernamen und Ihr Passwort ein.',
    notAllowed: 'Dieses Konto kann sich nicht bei anderen Anwendungen anmelden.',
    tooMany: (minutes) =>
      `Zu viele Anmeldungen sind fehlgeschlagen. Versuchen Sie es in ${minutes === 1 ? 'einer Minute' : `${minutes} Minuten`} noch einmal.`,
    busy: 'Der Server ist ausgelastet. Versuchen Sie es noch einmal.',
  },
  consent: {
    title: (client) => `Zugriff für ${client} erlauben?`,
    signedInAs: (person) => `Sie sind als ${person} angemeldet.`,
    otherPerson: 'Anderes Konto verwenden',
    asks: 'Die Anwendung möchte:',
    remember: 'Nicht noch einmal fragen',
    rememberHint: 'Beim nächsten Mal bekommt die Anwendung denselben Zugriff ohne diese Seite.',
    allow: 'Erlauben',
    deny: 'Ablehnen',
    sentTo: (place) => `Ihr Browser geht danach zu ${place}.`,
    policy: 'Datenschutzerklärung',
    terms: 'Nutzungsbedingungen',
  },
  goOn: {
    title: 'Einen Moment',
    text: 'Sie kehren zur Anwendung zurück.',
    button: 'Weiter',
  },
  problem: {
    title: 'Das geht nicht',
    text: 'Die Anwendung hat eine Anfrage geschickt, die nicht beantwortet werden kann. Gehen Sie zur Anwendung zurück und versuchen Sie es noch einmal, oder sagen Sie denen Bescheid, die sie betreiben:',
    code: 'Fehler',
    description: 'Einzelheiten',
  },
  stale: {
    title: 'Diese Seite gilt nicht mehr',
    text: 'Sie ist abgelaufen, wurde schon benutzt oder in einem anderen Browser geöffnet. Gehen Sie zur Anwendung zurück und melden Sie sich noch einmal an.',
  },
  scopes: {
    known: {
      openid: 'Wissen, wer Sie sind.',
      profile: 'Ihren Namen sehen.',
      email: 'Ihre E-Mail-Adresse sehen.',
      offline: 'Diesen Zugriff behalten, während Sie nicht da sind.',
      offline_access: 'Diesen Zugriff behalten, während Sie nicht da sind.',
      all: 'Alles in Slipway tun, was Sie tun können.',
      executor: 'Als Executor Jobs ausführen.',
      engine: 'Als Engine über Ausführungen berichten.',
      'login-app': 'Als Login-App sagen, wer jemand ist.',
    },
    unknown: 'Die Anwendung hat uns nicht gesagt, was das bedeutet.',
    permission: (name) => textIn(germanPermissions, name),
    allOf: (noun) => `Alles mit ${noun} tun.`,
    onAll: (verb) => `Überall in Slipway ${verb} benutzen.`,
  },
};
