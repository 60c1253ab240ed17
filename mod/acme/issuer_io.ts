/**
 * Has a certificate for every name, and a new one in time: one attempt after the other, on the node that is to do it.
 *
 * What was tried is stored before it is tried, so that neither a crash nor a restart makes it ask an authority more
 * often. It must not know how proofs reach clients, who writes files, or why this node is the one.
 */
import { reasonOf } from "../base/reason.ts";
import { X509Certificate } from "node:crypto";
import type { Log } from "../observe/log.ts";
import { Accounts, type AccountSettings } from "./account_io.ts";
import type { AcmeClient } from "./client_io.ts";
import { base64url, Key } from "./keys_io.ts";
import type { IssuerStatus } from "./issuer_status.ts";
import { obtain } from "./obtain_io.ts";
import {
  certificateFile,
  dueAt,
  failuresWith,
  type NameRecord,
  NEW_RECORD,
  readRecord,
  recordFile,
} from "./record.ts";
import { Refusal } from "./refusal.ts";
import {
  ASK_MS,
  askAgainAfter,
  type Life,
  pauseAfter,
  renewalAfter,
  renewalOf,
  withinReason,
  withinWindow,
} from "./renewal.ts";
import { renewalParts } from "./x509.ts";

/** The clock may be set meanwhile. */
const LOOK_MS = 60_000;
/** How long a name whose files cannot be read is left alone. */
const UNREADABLE_MS = 60 * 60_000;
/** What a record says of an attempt that never ended. */
const CUT_OFF = "the attempt was cut off";

export interface IssuerSettings extends AccountSettings {
  readonly challenge: "http" | "tlsAlpn";
  readonly names: readonly string[];
}

/** What whoever asks for a name is to be told. */
export interface Answers {
  /** Of the account's key; empty: there is no account yet. */
  readonly thumbprint: string;
  /** Certificates (PEM) for `tls-alpn-01`, by name. */
  readonly proofs: ReadonlyMap<string, { readonly cert: string; readonly key: string }>;
}

export interface IssuerOptions {
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  /** The text of a stored file; null: there is none. */
  readonly load: (file: string) => Promise<string | null>;
  /** Rejects with the reason. */
  readonly store: (file: string, text: string) => Promise<void>;
  /** Puts answers in force; rejects with the reason. */
  readonly answer: (answers: Answers) => Promise<void>;
  /** A certificate is another. */
  readonly onRenewed: () => Promise<void>;
}

interface Held {
  readonly record: NameRecord;
  readonly life: Life | null;
  /** How an authority is asked about it; null: it cannot be. */
  readonly id: string | null;
}

export class Issuer {
  readonly #options: IssuerOptions;
  readonly #accounts: Accounts;
  #settings: IssuerSettings | null = null;
  #active = false;
  readonly #held = new Map<string, Held>();
  /** The name that is just being had. */
  #asking: string | null = null;
  #client: AcmeClient | null = null;
  #answers: Answers = { thumbprint: "", proofs: new Map() };
  #wake = Promise.withResolvers<void>();
  readonly #closed = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: IssuerOptions) {
    this.#options = options;
    this.#accounts = new Accounts({ ...options, current: (settings) => settings === this.#settings });
  }

  get answers(): Answers {
    return this.#answers;
  }

  /** True when this node is the one to ask authorities. */
  get active(): boolean {
    return this.#active;
  }

  /** Null: there is nothing to do any more. */
  async configure(settings: IssuerSettings | null): Promise<void> {
    this.#settings = settings;
    this.#client = null;
    await this.refresh();
    if (settings !== null) this.#running ??= this.#run();
  }

  async setActive(active: boolean): Promise<void> {
    if (active === this.#active) return;
    this.#active = active;
    await this.refresh();
  }

  /** Looks at what is stored: another node may have put it there. */
  async refresh(): Promise<void> {
    const { names = [], directory = "" } = this.#settings ?? {};
    for (const name of this.#held.keys()) if (!names.includes(name)) this.#held.delete(name);
    // Of the one that is being asked for more is known here than is stored.
    for (const name of names) if (name !== this.#asking) await this.#read(name);
    try {
      const known = await this.#accounts.known(directory);
      const thumbprint = known?.key.thumbprint ?? "";
      if (thumbprint !== this.#answers.thumbprint) {
        this.#client = null;
        this.#answers = { ...this.#answers, thumbprint };
        await this.#options.answer(this.#answers);
      }
    } catch (error) {
      this.#complain(error);
    }
    this.#wake.resolve();
  }

  status(): IssuerStatus[] {
    const { names = [], directory = "" } = this.#settings ?? {};
    return names.flatMap((name) => {
      const held = this.#held.get(name);
      if (held === undefined) return [];
      const { record, life } = held;
      const { failures, lastError } = failuresWith(record, directory);
      const rest = failures > 0 ? "failing" : life === null ? "waiting" : "issued";
      return [{
        name,
        state: name === this.#asking ? "asking" : rest,
        expiresAt: life?.until ?? null,
        nextAt: dueAt(record, life?.until ?? null, directory),
        ...{ failures, lastError },
      }];
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#wake.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { now, random, log } = this.#options;
    while (!this.#closed.signal.aborted) {
      const { name, at, ask } = this.#next();
      try {
        if (at > now()) await this.#sleep(Math.min(at - now(), LOOK_MS));
        else if (ask) await this.#askWindow(name, random());
        else await this.#attempt(name);
      } catch (error) {
        // A mistake of ours must not end the balancer, nor be made without a pause.
        log.error("certificates by ACME: a bug", { name, reason: shortReason(error) });
        await this.#sleep(LOOK_MS);
      }
    }
  }

  /** What comes first: an attempt, or the question whether the authority wants one. */
  #next(): { name: string; at: number; ask: boolean } {
    const next = { name: "", at: Infinity, ask: false };
    const { directory } = this.#settings ?? {};
    if (!this.#active || directory === undefined) return next;
    for (const [name, { record, life, id }] of this.#held) {
      const at = dueAt(record, life?.until ?? null, directory);
      if (at < next.at) Object.assign(next, { name, at, ask: false });
      const asks = id !== null && record.directory === directory && record.askAt < at;
      if (asks && record.askAt < next.at) Object.assign(next, { name, at: record.askAt, ask: true });
    }
    return next;
  }

  async #sleep(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([over, this.#wake.promise]);
    clearTimeout(timer);
    this.#wake = Promise.withResolvers();
  }

  async #attempt(name: string): Promise<void> {
    const { now, random, log, store } = this.#options;
    const settings = this.#settings!;
    const { directory } = settings;
    const { record: before, life: lifeBefore, id } = this.#held.get(name)!;
    const same = before.directory === directory;
    const failures = failuresWith(before, directory).failures + 1;
    const pause = (retryMs: number) => now() + pauseAfter(failures, retryMs, random());
    const trying: NameRecord = {
      ...before,
      // What is had of another authority stays known as such: whoever goes back to it needs no new one.
      ...same || lifeBefore === null ? { directory, tried: undefined } : { tried: directory },
      ...{ failures, nextAt: pause(0), lastError: CUT_OFF },
    };
    try {
      this.#asking = name;
      await store(recordFile(name), JSON.stringify(trying));
      log.info("asking for a certificate", { name, authority: directory });
      const { cert, key } = await this.#obtain(name, same ? id : null, settings);
      await store(certificateFile(name), cert + key);
      const life = lifeOf(new X509Certificate(cert));
      const renewAt = renewalAfter(now(), life, random());
      await this.#keep(name, { directory, renewAt, failures: 0, nextAt: 0, lastError: "", askAt: now() });
      log.info("certificate issued", { name, until: iso(life.until), renewal: iso(renewAt) });
      await this.#read(name);
      await this.#options.onRenewed();
    } catch (error) {
      // What was sent counts, though nobody waits for what comes of it: the record says so already.
      if (this.#closed.signal.aborted) return;
      // The next one begins at the directory: the authority may have moved.
      this.#client = null;
      const nextAt = pause(error instanceof Refusal ? error.retryAfterMs : 0);
      const lastError = shortReason(error);
      log.error("no certificate could be had", { name, reason: lastError, failures, next: iso(nextAt) });
      await this.#keep(name, { ...trying, nextAt, lastError }).catch(() => {});
    } finally {
      this.#asking = null;
    }
  }

  async #obtain(name: string, id: string | null, settings: IssuerSettings) {
    const client = await this.#account(settings);
    try {
      return await this.#obtainBy(client, name, id, settings);
    } catch (error) {
      const other = await this.#accounts.recover(settings, client, error);
      if (other === null) throw error;
      return await this.#obtainBy(await this.#use(other), name, id, settings);
    }
  }

  async #obtainBy(client: AcmeClient, name: string, id: string | null, { challenge }: IssuerSettings) {
    return await obtain(name, id, {
      ...{ client, challenge, thumbprint: client.thumbprint },
      prove: (name, authorization) => this.#prove(name, challenge === "http" ? null : authorization),
      wait: (ms) => this.#wait(ms),
      now: this.#options.now,
    });
  }

  /** The client, with an account; one is made where there is none. */
  async #account(settings: IssuerSettings): Promise<AcmeClient> {
    return this.#client ?? await this.#use(await this.#accounts.open(settings));
  }

  async #use(client: AcmeClient): Promise<AcmeClient> {
    const { thumbprint, directory } = client;
    if (directory !== this.#settings?.directory) throw new Error("the configuration has changed meanwhile");
    if (this.#answers.thumbprint !== thumbprint) {
      this.#answers = { ...this.#answers, thumbprint };
      await this.#options.answer(this.#answers);
    }
    return this.#client = client;
  }

  /** With `http-01` there is nothing to do, as every node answers for its account whatever it is asked. */
  async #prove(name: string, challenge: Uint8Array | null): Promise<void> {
    const proofs = new Map(this.#answers.proofs);
    if (challenge !== null) {
      const key = Key.make();
      const now = this.#options.now();
      const cert = key.certificate({ name, from: now - ASK_MS.most, until: now + ASK_MS.most, challenge });
      proofs.set(name, { cert, key: key.pem });
    } else if (!proofs.delete(name)) return;
    this.#answers = { ...this.#answers, proofs };
    await this.#options.answer(this.#answers);
  }

  /** When the authority would have it renewed counts more than a third of its life. */
  async #askWindow(name: string, chance: number): Promise<void> {
    const { now, log } = this.#options;
    try {
      const client = await this.#account(this.#settings!);
      const answer = await client.renewalWindow(this.#held.get(name)!.id!, now());
      // It may be another by now: an operator can have it renewed at once.
      const record = this.#held.get(name)?.record;
      if (record === undefined || record.renewAt! <= now()) return;
      const askAt = now() + (answer === null ? ASK_MS.most : askAgainAfter(answer.retryAfterMs));
      const window = answer?.body;
      const fits = window === undefined || record.renewAt! >= window.start && record.renewAt! <= window.end;
      const renewAt = fits ? record.renewAt : withinWindow(window, chance);
      if (!fits) log.info("the authority says when to renew", { name, renewal: iso(renewAt!) });
      await this.#keep(name, { ...record, askAt, renewAt });
    } catch (error) {
      log.debug("the authority does not say when to renew", { name, reason: shortReason(error) });
      const held = this.#held.get(name);
      if (held !== undefined) this.#hold(name, { ...held.record, askAt: now() + ASK_MS.usual });
    }
  }

  async #keep(name: string, record: NameRecord): Promise<void> {
    this.#hold(name, record);
    await this.#options.store(recordFile(name), JSON.stringify(record));
  }

  #hold(name: string, record: NameRecord): void {
    const held = this.#held.get(name);
    if (held !== undefined) this.#held.set(name, { ...held, record });
  }

  async #read(name: string): Promise<void> {
    const { load, now, random, log } = this.#options;
    let record: NameRecord;
    let pem: string | null;
    try {
      record = withinReason(readRecord(await load(recordFile(name))), now());
      pem = await load(certificateFile(name));
    } catch (error) {
      // It is not gone: what was known of it holds, and nobody is asked for another.
      log.error("what is stored of a certificate cannot be read", { name, reason: shortReason(error) });
      if (!this.#held.has(name)) {
        this.#held.set(name, { record: this.#unreadable(shortReason(error)), life: null, id: null });
      }
      return;
    }
    const certificate = certificateIn(pem);
    if (certificate === null) return void this.#held.set(name, { record, life: null, id: null });
    const life = lifeOf(certificate);
    const parts = renewalParts(certificate.raw);
    const id = parts === null ? null : `${base64url(parts.issuer)}.${base64url(parts.serial)}`;
    // Without a record nobody knows whose it is: it is taken for one of this authority.
    const known = record.directory !== "" ? record : {
      ...record,
      directory: this.#settings?.directory ?? "",
      renewAt: renewalOf(life, random()),
      askAt: now(),
    };
    this.#held.set(name, { record: known, life, id });
  }

  /** Of what cannot be read: looked at again before anybody is asked. */
  #unreadable(lastError: string): NameRecord {
    const directory = this.#settings?.directory ?? "";
    return { ...NEW_RECORD, directory, failures: 1, nextAt: this.#options.now() + UNREADABLE_MS, lastError };
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#closed;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    signal.addEventListener("abort", over.resolve as () => void);
    await over.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", over.resolve as () => void);
    signal.throwIfAborted();
  }

  #complain(error: unknown): void {
    this.#options.log.error("challenges cannot be answered", { reason: shortReason(error) });
  }
}

function lifeOf({ validFrom, validTo }: X509Certificate): Life {
  return { from: Date.parse(validFrom), until: Date.parse(validTo) };
}

function certificateIn(pem: string | null): X509Certificate | null {
  try {
    return pem === null ? null : new X509Certificate(pem);
  } catch {
    return null;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function shortReason(error: unknown): string {
  return reasonOf(error).slice(0, 400);
}
