import { builder } from '../../graphql/builder.ts';
import {
  type LifespanName,
  lifespanNames,
  type SettingName,
  settingNames,
} from '../domain/client-settings.ts';
import { lifespanTexts, settingTexts } from './client-texts.ts';

type Kind = 'text' | 'texts' | 'flag' | 'json';

/** The settings that are not texts. */
const kinds: Readonly<Partial<Record<SettingName, Kind>>> = {
  redirectUris: 'texts',
  grantTypes: 'texts',
  responseTypes: 'texts',
  audience: 'texts',
  requestUris: 'texts',
  allowedCorsOrigins: 'texts',
  postLogoutRedirectUris: 'texts',
  contacts: 'texts',
  frontchannelLogoutSessionRequired: 'flag',
  backchannelLogoutSessionRequired: 'flag',
  skipConsent: 'flag',
  skipLogoutConsent: 'flag',
  jwks: 'json',
  metadata: 'json',
};

/** What a setting is if it is left out, if that is not nothing. */
const defaults: Readonly<Partial<Record<SettingName, string>>> = {
  grantTypes: '`authorization_code`',
  responseTypes: '`code`',
  tokenEndpointAuthMethod: '`client_secret_basic`',
  subjectType: '`public`',
  userinfoSignedResponseAlg: '`none`',
  accessTokenStrategy: 'as the server says',
};

export const OAuth2ClientInput = builder.inputType('OAuth2ClientInput', {
  description: 'The settings of a client. What is left out, null or empty gets its default.',
  fields: (t) => {
    const field = (name: SettingName) => {
      const byDefault = defaults[name];
      const description = `${settingTexts[name]}${byDefault ? ` If it is left out: ${byDefault}.` : ''}`;
      const kind = kinds[name] ?? 'text';
      if (kind === 'texts') return t.stringList({ description });
      if (kind === 'flag') return t.boolean({ description });
      return kind === 'json' ? t.field({ type: 'JSON', description }) : t.string({ description });
    };
    return Object.fromEntries(settingNames.map((name) => [name, field(name)]));
  },
});

export const OAuth2ClientLifespansInput = builder.inputType('OAuth2ClientLifespansInput', {
  description: 'How long the tokens of a client are valid: 1 second to 10 years.',
  fields: (t) => {
    const field = (name: LifespanName) => t.field({ type: 'Duration', description: lifespanTexts[name] });
    return Object.fromEntries(lifespanNames.map((name) => [name, field(name)]));
  },
});
