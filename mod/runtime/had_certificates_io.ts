/**
 * Certificates by ACME, as the control thread has them: it asks authorities, shows their proofs to the workers, and
 * makes certificates of its own for names that have none yet. The keeper writes what is to be kept.
 */
import { X509Certificate } from "node:crypto";
import type { Fetch } from "../acme/client_io.ts";
import { damageOf } from "../acme/damage_io.ts";
import { Issuer } from "../acme/issuer_io.ts";
import { Key } from "../acme/keys_io.ts";
import { certificateFile } from "../acme/record.ts";
import { acmeNames } from "../config/acme_names.ts";
import type { AcmeConfig } from "../config/acme_schema.ts";
import type { AcmeAnswers } from "../config/acme_build.ts";
import type { HadCertificates } from "../config/certificates_io.ts";
import type { Config } from "../config/schema.ts";
import type { CertificateSnapshot } from "../config/snapshot.ts";
import type { Log } from "../observe/log.ts";
import type { AcmeStatus } from "../observe/status.ts";
import { acmeDirectory } from "./state_path.ts";

/** Nobody is to rely on one of our own for long. */
const PLACEHOLDER_MS = 365 * 24 * 3600_000;

export interface HadOptions {
  readonly node: string;
  readonly env: (name: string) => string | undefined;
  readonly log: Log;
  /** Has the keeper write a file; rejects with the reason. */
  readonly store: (file: string, text: string) => Promise<void>;
  /** Builds the snapshot anew, with other answers for authorities; rejects with the reason. */
  readonly onAnswers: () => Promise<void>;
  /** The files of certificates are to be read again. */
  readonly onRenewed: () => Promise<void>;
}

export class Had implements Omit<HadCertificates, "inForce"> {
  readonly #options: HadOptions;
  readonly #issuer: Issuer;
  readonly #placeholders = new Map<string, CertificateSnapshot>();
  /** Stored files that are damaged, as the log says already. */
  readonly #damaged = new Set<string>();
  #directory = "";
  /** How authorities are reached, and whom it trusts. */
  #reach: { readonly client: Deno.HttpClient; readonly ca: string | null } | null = null;

  constructor(options: HadOptions) {
    this.#options = options;
    this.#issuer = new Issuer({
      log: options.log,
      now: Date.now,
      random: Math.random,
      load: (file) => this.#load(file),
      store: options.store,
      answer: options.onAnswers,
      onRenewed: options.onRenewed,
    });
  }

  /** What is to be had from now on; `files`: the texts of those that the configuration names. */
  async configure(config: Config, files: ReadonlyMap<string, string>): Promise<void> {
    const { acme } = config;
    const names = acmeNames(config);
    for (const name of this.#placeholders.keys()) if (!names.includes(name)) this.#placeholders.delete(name);
    if (acme === undefined) return await this.#issuer.configure(null);
    this.#directory = this.#directoryOf(acme);
    const { directory, challenge, email = null, externalAccount: external = null } = acme;
    const fetch = this.#fetchBy(acme.ca === undefined ? null : files.get(acme.ca)!);
    await this.#issuer.configure({ directory, challenge, email, external, fetch, names });
  }

  /** The keeper says whether this node is the one that asks authorities. */
  async setActive(active: boolean): Promise<void> {
    await this.#issuer.setActive(active);
  }

  /** Certificates on disk are others. */
  async refresh(): Promise<void> {
    await this.#issuer.refresh();
  }

  get answers(): AcmeAnswers {
    const { thumbprint, proofs } = this.#issuer.answers;
    const shown = [...proofs].map(([name, { cert, key }]) => [name, snapshotOf(name, cert, key)] as const);
    return { thumbprint, proofs: new Map(shown) };
  }

  status(): AcmeStatus {
    return { active: this.#issuer.active, names: this.#issuer.status() };
  }

  fileOf(name: string, acme: AcmeConfig): string {
    return `${this.#directoryOf(acme)}/${certificateFile(name)}`;
  }

  placeholder(name: string): CertificateSnapshot {
    const known = this.#placeholders.get(name);
    if (known !== undefined) return known;
    const key = Key.make();
    const from = Date.now();
    const cert = key.certificate({ name, from, until: from + PLACEHOLDER_MS });
    const made = snapshotOf(name, cert, key.pem);
    this.#placeholders.set(name, made);
    return made;
  }

  async close(): Promise<void> {
    await this.#issuer.close();
    this.#reach?.client.close();
  }

  async #load(file: string): Promise<string | null> {
    const path = `${this.#directory}/${file}`;
    const text = await textOf(path);
    const reason = text === null ? null : damageOf(file, text);
    if (reason === null) this.#damaged.delete(path);
    else if (!this.#damaged.has(path)) {
      this.#damaged.add(path);
      const facts = { file: path, reason, aside: `${path}.bad` };
      this.#options.log.warning(
        "a stored file is damaged: it is passed over, and kept aside once replaced",
        facts,
      );
    }
    return text;
  }

  #directoryOf({ state }: AcmeConfig): string {
    const { node, env } = this.#options;
    return acmeDirectory({ configured: state, node, env, uid: Deno.uid() });
  }

  /** Authorities of `ca` are trusted beside the runtime's. What is under way goes on over a reload. */
  #fetchBy(ca: string | null): Fetch {
    if (this.#reach === null || this.#reach.ca !== ca) {
      this.#reach?.client.close();
      this.#reach = { client: Deno.createHttpClient(ca === null ? {} : { caCerts: [ca] }), ca };
    }
    const { client } = this.#reach;
    return (url, options) => fetch(url, { ...options, client });
  }
}

/** Made by ourselves. */
function snapshotOf(name: string, cert: string, key: string): CertificateSnapshot {
  const { validTo, fingerprint256 } = new X509Certificate(cert);
  return {
    certFile: "",
    cert,
    key,
    names: [name],
    issuer: `CN=${name}`,
    expiresAt: Date.parse(validTo),
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    had: "selfSigned",
  };
}

/** Null: there is no such file. Rejects when it cannot be read: what stands in it is not to be had anew. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // A part of the path may be a file.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
