/**
 * What an authority is asked by ACME (RFC 8555), and whether it wants a certificate renewed (RFC 9773): one method a
 * request. Every answer is bounded and read strictly; whatever is not as it should be is a `Refusal`.
 *
 * It knows no schedule and keeps nothing but the directory and a nonce. It must not know where keys are stored.
 */
import { reasonOf } from "../base/reason.ts";
import { z } from "zod";
import { base64url, externalAccount, type Key } from "./keys_io.ts";
import { Refusal, refusalOf, retryAfter } from "./refusal.ts";

/** How long one answer may take. */
const ANSWER_MS = 30_000;
/** A chain of certificates has 5 to 10 KB. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** A nonce may have grown old (RFC 8555 section 6.5). */
const NONCE_TRIES = 10;

const url = z.string().max(4096).refine((text) => text.startsWith("https://"));
const status = z.string().max(32);
const problem = z.looseObject({}).optional();

const Directory = z.looseObject({
  newNonce: url,
  newAccount: url,
  newOrder: url,
  renewalInfo: url.optional(),
});
const Order = z.looseObject({
  status,
  authorizations: z.array(url).max(16),
  finalize: url,
  certificate: url.optional(),
  error: problem,
});
const Challenge = z.looseObject({
  type: z.string().max(64),
  url,
  status,
  token: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/).optional(),
  error: problem,
});
/** What is no more than said of an account is not worth a refusal. */
const Account = z.looseObject({ status: status.optional() }).catch({});
const Authorization = z.looseObject({ status, challenges: z.array(Challenge).max(16) });
const Window = z.looseObject({
  suggestedWindow: z.looseObject({ start: z.string().max(64), end: z.string().max(64) }),
});

export type Order = z.output<typeof Order>;
export type Authorization = z.output<typeof Authorization>;
export type Challenge = z.output<typeof Challenge>;

/** As `fetch` of the runtime, which follows the proxies of the environment. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

export interface Contact {
  readonly email: string | null;
  readonly external: { readonly id: string; readonly secret: string } | null;
}

/** An answer, and how long to wait until asking again; null: that is not said. */
export interface Answered<T> {
  readonly body: T;
  readonly location: string;
  readonly retryAfterMs: number | null;
}

export class AcmeClient {
  readonly #fetch: Fetch;
  readonly #key: Key;
  #directory: z.output<typeof Directory> | null = null;
  #nonce: string | null = null;
  /** The account's URL; empty: not known yet. */
  account = "";

  constructor(
    readonly directory: string,
    options: { readonly fetch: Fetch; readonly key: Key; readonly account?: string },
  ) {
    this.#fetch = options.fetch;
    this.#key = options.key;
    this.account = options.account ?? "";
  }

  /** Of the account's key. */
  get thumbprint(): string {
    return this.#key.thumbprint;
  }

  /**
   * Makes the account, or finds it where the key has one already (RFC 8555 section 7.3). Its status: `valid`,
   * `deactivated`, `revoked` (section 7.1.2); empty: the authority does not say.
   */
  async register({ email, external }: Contact): Promise<string> {
    const { newAccount } = await this.#links();
    const { jwk } = this.#key;
    const { body, location } = await this.#ask(
      "the account",
      newAccount,
      {
        termsOfServiceAgreed: true,
        contact: contactOf(email),
        ...external === null
          ? {}
          : { externalAccountBinding: externalAccount({ ...external, url: newAccount, jwk }) },
      },
      Account,
      { jwk },
    );
    if (!url.safeParse(location).success) throw new Refusal("the account: the authority gives it no address");
    this.account = location;
    return body.status ?? "";
  }

  /** Tells the authority another address of the account's owner. */
  async tell(email: string | null): Promise<void> {
    await this.#ask("the account", this.account, { contact: contactOf(email) }, z.unknown());
  }

  /** `replaces`: the certificate that this one is to renew, as RFC 9773 names it. */
  async order(name: string, replaces: string | null): Promise<Answered<Order>> {
    const { newOrder, renewalInfo } = await this.#links();
    const identifiers = [{ type: "dns", value: name }];
    const known = renewalInfo === undefined || replaces === null ? {} : { replaces };
    const answer = await this.#ask("the order", newOrder, { identifiers, ...known }, Order);
    if (!url.safeParse(answer.location).success) throw new Refusal("the order: it has no address");
    return answer;
  }

  orderAt(url: string): Promise<Answered<Order>> {
    return this.#ask("the order", url, undefined, Order);
  }

  authorization(url: string): Promise<Answered<Authorization>> {
    return this.#ask("the authorization", url, undefined, Authorization);
  }

  /** Says that a challenge may be looked at. */
  ready({ url }: Challenge): Promise<Answered<Challenge>> {
    return this.#ask("the challenge", url, {}, Challenge);
  }

  finalize({ finalize }: Order, request: Uint8Array): Promise<Answered<Order>> {
    return this.#ask("the certificate", finalize, { csr: base64url(request) }, Order);
  }

  /** PEM: the certificate and its chain. */
  async download(url: string): Promise<string> {
    return (await this.#ask("the certificate", url, undefined, z.string())).body;
  }

  /** When the authority would have a certificate renewed, in milliseconds since 1970; null: it does not say. */
  async renewalWindow(id: string, now: number): Promise<Answered<{ start: number; end: number }> | null> {
    const { renewalInfo } = await this.#links();
    if (renewalInfo === undefined) return null;
    const answer = await this.#send("the renewal information", `${renewalInfo}/${id}`, { method: "GET" });
    if (answer.status !== 200) throw refusalOf("the renewal information", answer.body, answer.status, null);
    const window = Window.safeParse(answer.body).data?.suggestedWindow;
    const [start, end] = [Date.parse(window?.start ?? ""), Date.parse(window?.end ?? "")];
    if (!(start < end)) throw new Refusal("the renewal information: it is none");
    return { body: { start, end }, location: "", retryAfterMs: retryAfter(answer.retryAfter, now) };
  }

  async #links(): Promise<z.output<typeof Directory>> {
    if (this.#directory !== null) return this.#directory;
    const what = "the directory";
    const { status, body } = await this.#send(what, this.directory, { method: "GET" });
    if (status !== 200) throw refusalOf(`${what} ${this.directory}`, body, status, null);
    const read = Directory.safeParse(body);
    if (!read.success) throw new Refusal(`${what}: ${this.directory} is not one of ACME`);
    return this.#directory = read.data;
  }

  /** A signed request; `payload` undefined: it only asks what is there. */
  async #ask<T>(
    what: string,
    url: string,
    payload: unknown,
    schema: z.ZodType<T>,
    identity: Record<string, unknown> = { kid: this.account },
  ): Promise<Answered<T>> {
    for (let tries = 1;; tries++) {
      const body = this.#key.jws({ nonce: await this.#freshNonce(), url, ...identity }, payload);
      const headers = { "content-type": "application/jose+json" };
      const answer = await this.#send(what, url, { method: "POST", headers, body });
      const waitMs = retryAfter(answer.retryAfter, Date.now());
      if (answer.status >= 400) {
        const refusal = refusalOf(what, answer.body, answer.status, waitMs);
        if (refusal.type === "badNonce" && tries < NONCE_TRIES) continue;
        throw refusal;
      }
      const read = schema.safeParse(answer.body);
      if (!read.success) throw new Refusal(`${what}: the authority's answer cannot be read`);
      return { body: read.data, location: answer.location, retryAfterMs: waitMs };
    }
  }

  async #freshNonce(): Promise<string> {
    if (this.#nonce === null) {
      const { newNonce } = await this.#links();
      await this.#send("a nonce", newNonce, { method: "HEAD" });
    }
    const nonce = this.#nonce as string | null;
    this.#nonce = null;
    if (nonce === null) throw new Refusal("a nonce: the authority gives none");
    return nonce;
  }

  async #send(what: string, url: string, options: RequestInit): Promise<{
    readonly status: number;
    readonly body: unknown;
    readonly location: string;
    readonly retryAfter: string | null;
  }> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await this.#fetch(url, { ...options, redirect: "error", signal });
      const { status, headers } = response;
      this.#nonce = headers.get("replay-nonce") ?? this.#nonce;
      const text = await bounded(response);
      const isJson = /^application\/([a-z.]+\+)?json\b/.test(headers.get("content-type") ?? "");
      return {
        status,
        body: isJson && text !== "" ? JSON.parse(text) : text,
        location: headers.get("location") ?? "",
        retryAfter: headers.get("retry-after"),
      };
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(`${what}: ${url} cannot be asked: ${deepestReason(error)}`);
    }
  }
}

function contactOf(email: string | null): string[] {
  return email === null ? [] : [`mailto:${email}`];
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new Refusal("the authority's answer is too long");
  }
  return text + decoder.decode();
}

/** What the runtime says before the reason. */
const SENDING = /^error sending request for url \(\S*\): (client error \(\w+\): )?/;

/** The innermost cause says most: "connection refused", "invalid peer certificate". */
function deepestReason(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "no answer in time";
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const words = reasonOf(cause);
  return words.replace(SENDING, "");
}
