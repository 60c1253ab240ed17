/**
 * The account with an authority: as it is stored, made where there is none, and made anew where the authority does not
 * know it any more.
 *
 * It must not know what certificates are asked for, or how a proof is shown.
 */
import type { Log } from "../observe/log.ts";
import { AcmeClient, type Contact, type Fetch } from "./client_io.ts";
import { Key } from "./keys_io.ts";
import { type Account, ACCOUNT_FILE, readAccount } from "./record.ts";
import { Refusal } from "./refusal.ts";

/** With whom, and as whom. */
export interface AccountSettings extends Contact {
  readonly directory: string;
  /** How the authority is reached. */
  readonly fetch: Fetch;
}

export interface AccountsEnv {
  readonly log: Log;
  /** The text of a stored file; null: there is none. */
  readonly load: (file: string) => Promise<string | null>;
  /** Rejects with the reason. */
  readonly store: (file: string, text: string) => Promise<void>;
  /** Whether these settings are the ones in force. */
  readonly current: (settings: AccountSettings) => boolean;
}

export class Accounts {
  readonly #env: AccountsEnv;

  constructor(env: AccountsEnv) {
    this.#env = env;
  }

  /** The account that is stored, with its key; null: there is none with this authority. */
  async known(directory: string): Promise<{ readonly account: Account; readonly key: Key } | null> {
    const account = readAccount(await this.#env.load(ACCOUNT_FILE), directory);
    const key = account === null ? null : Key.tryRead(account.key);
    return account === null || key === null ? null : { account, key };
  }

  /** A client with an account, which the authority is told of as far as it is new. */
  async open(settings: AccountSettings): Promise<AcmeClient> {
    const { directory, fetch, email } = settings;
    const known = await this.known(directory);
    if (known === null) return await this.#make(settings, Key.make());
    const { account, key } = known;
    const client = new AcmeClient(directory, { fetch, key, account: account.url });
    if (account.email === email) return client;
    try {
      await client.tell(email);
    } catch (error) {
      const other = await this.recover(settings, client, error);
      if (other === null) throw error;
      return other;
    }
    return await this.#keep(settings, client, key);
  }

  /**
   * After a refusal: another client, where the reason is that the authority does not know the account any more, or that
   * it was deactivated. With the same key as far as the authority takes it (RFC 8555 section 7.3), as the other nodes
   * answer for that one. Null: the account is not the reason.
   */
  async recover(settings: AccountSettings, client: AcmeClient, error: unknown): Promise<AcmeClient | null> {
    const known = await this.known(settings.directory);
    if (known === null || !(error instanceof Refusal) || !error.doubtsAccount) return null;
    const { log } = this.#env;
    const facts = { authority: settings.directory, reason: error.message };
    const again = new AcmeClient(settings.directory, { fetch: settings.fetch, key: known.key });
    const status = await again.register(settings).catch((refusal) => {
      // RFC 8555 section 7.3.6: a key whose account was deactivated is of no use any more.
      if (refusal instanceof Refusal && refusal.type === "unauthorized") return "deactivated";
      throw refusal;
    });
    if (status === "revoked") throw new Refusal("the account: the authority has revoked it");
    if (status === "deactivated") {
      log.warning("the account was deactivated, one with another key is made", facts);
      return await this.#make(settings, Key.make());
    }
    if (again.account === client.account) return null;
    log.warning("the authority does not know the account any more, it is made anew", facts);
    return await this.#keep(settings, again, known.key);
  }

  async #make(settings: AccountSettings, key: Key): Promise<AcmeClient> {
    const { directory, fetch } = settings;
    const client = new AcmeClient(directory, { fetch, key });
    await client.register(settings);
    this.#env.log.info("account made", { authority: directory });
    return await this.#keep(settings, client, key);
  }

  async #keep(settings: AccountSettings, client: AcmeClient, key: Key): Promise<AcmeClient> {
    const { directory, email } = settings;
    // Else the client of one authority would be asked for certificates of another.
    if (!this.#env.current(settings)) throw new Error("the configuration has changed meanwhile");
    const account: Account = { directory, url: client.account, email, key: key.pem };
    await this.#env.store(ACCOUNT_FILE, JSON.stringify(account));
    return client;
  }
}
