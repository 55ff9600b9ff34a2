/** What the tests of identity providers share: a server, a provider that it trusts, and people who come from there. */
import { expect } from 'vitest';
import { Stage, webSettings } from '../oauth/stage.ts';
import { type Page, Visitor } from '../oauth/visitor.ts';
import { mutate } from '../support/mutate.ts';
import { CLIENT_ID, CLIENT_SECRET, OutsideIssuer } from '../support/outside-issuer.ts';

export const providerFields = 'identityProvider { id name redirectUri hasClientSecret }';

export class World {
  readonly stage: Stage;
  readonly issuer: OutsideIssuer;
  #made = 0;

  static async start(): Promise<World> {
    const stage = await Stage.start();
    await stage.addClient('shop', { ...webSettings, skipConsent: true });
    return new World(stage, await OutsideIssuer.start());
  }

  private constructor(stage: Stage, issuer: OutsideIssuer) {
    this.stage = stage;
    this.issuer = issuer;
  }

  async stop(): Promise<void> {
    this.issuer.close();
    await this.stage.stop();
  }

  /** A provider of its own, with these settings. @returns its id and its name. */
  async provider(settings: object = {}, issuer = this.issuer): Promise<{ id: string; name: string }> {
    this.#made += 1;
    const name = `Provider ${this.#made}`;
    const made = await mutate(
      this.stage.app,
      'createIdentityProvider',
      {
        identityProvider: { name, issuer: issuer.url, clientId: CLIENT_ID, newUserRole: 'USER', ...settings },
        clientSecret: CLIENT_SECRET,
      },
      providerFields,
    );
    expect(made, JSON.stringify(made)).toHaveProperty('identityProvider');
    const { id, redirectUri } = made.identityProvider;
    issuer.register(redirectUri);
    return { id, name };
  }

  /** The login page of a new request of the client `shop`. */
  async loginPage(visitor: Visitor, more: Record<string, string> = {}): Promise<Page> {
    const shop = await this.stage.request('openid', more);
    return await visitor.visit(shop.url.replace('client_id=web', 'client_id=shop'));
  }

  /** Until the browser comes back from the provider. @returns the address with the answer. */
  async answerOf(visitor: Visitor, provider: { readonly id: string }, fields: object = {}): Promise<string> {
    const page = await visitor.send(await this.loginPage(visitor), { provider: provider.id, ...fields });
    expect(page.url.startsWith(`${this.issuer.url}/auth?`), page.text).toBe(true);
    return (await visitor.visit(page.url)).url;
  }

  /** The whole way. @returns the page, or the address of the client with its answer. */
  async signIn(visitor: Visitor, provider: { readonly id: string }, fields: object = {}): Promise<Page> {
    return await visitor.visit(await this.answerOf(visitor, provider, fields));
  }

  /** The names of the groups that a user is in, without the group of all users. */
  async groupsOf(username: string): Promise<string[]> {
    const { data } = await this.stage.app.ask(
      'query ($username: String!) { user(by: { username: $username }) { groups { name } } }',
      { username },
    );
    const names = data.user.groups.map(({ name }: { name: string }) => name);
    return names.filter((name: string) => name !== 'everyone');
  }
}

export const newVisitor = () => new Visitor();
