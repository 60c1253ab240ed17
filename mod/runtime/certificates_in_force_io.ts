/**
 * The certificates of the control thread: those of files, which may change on disk at any time, and those that are had
 * by ACME. What is in force of them, it must not decide: it asks for a snapshot with others.
 */
import { type CertificateReader, readTlsFiles, TlsFiles } from "../config/certificates.ts";
import { certificateReader } from "../config/certificates_io.ts";
import { describeDiff, diffSnapshots } from "../config/diff.ts";
import { type HeldFiles, heldText, MAX_HELD_CHARS } from "../config/held_files.ts";
import { type NamedCertificate, namedCertificates } from "../config/named_certificates.ts";
import type { Config } from "../config/schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { readCertificate } from "../net/certificate_io.ts";
import { CertificateWatch } from "./certificate_watch_io.ts";
import { Had, type HadOptions } from "./had_certificates_io.ts";

export interface CertificatesInForceOptions extends Omit<HadOptions, "onAnswers" | "onRenewed"> {
  /** The configuration file: its directory is where relative paths start. */
  readonly file: string;
  /** What is in force; null: nothing yet, or nothing is to change any more. */
  readonly current: () => { readonly config: Config; readonly snapshot: Snapshot } | null;
  /** Has a change wait for the one before. */
  readonly inOrder: <T>(change: () => Promise<T>) => Promise<T>;
  /** The same configuration again, with these; what is in the way, or nothing. */
  readonly rebuild: (certificates: TlsFiles) => Promise<readonly string[]>;
  /** Has what the files in force hold kept for the next balancer. A secret. */
  readonly hold: (text: string) => void;
}

export class CertificatesInForce {
  readonly had: Had;
  readonly reader: CertificateReader;
  readonly #options: CertificatesInForceOptions;
  readonly #watch: CertificateWatch;
  #named: readonly NamedCertificate[] = [];
  #held: HeldFiles = { texts: new Map(), tls: new TlsFiles() };

  constructor(options: CertificatesInForceOptions) {
    const { current, inOrder } = this.#options = options;
    this.had = new Had({
      ...options,
      onAnswers: () => inOrder(() => this.#answerAuthorities()),
      onRenewed: () => this.#watch.look(),
    });
    this.reader = certificateReader(options.file, Date.now, {
      fileOf: (name, acme) => this.had.fileOf(name, acme),
      placeholder: (name) => this.had.placeholder(name),
      inForce: (name) => this.files.had([name])[0],
    });
    this.#watch = new CertificateWatch({
      ...{ log: options.log, now: Date.now, current, reader: this.reader, named: () => this.#named },
      reread: () => inOrder(() => this.#reload()),
    });
    this.#watch.start();
  }

  /** As they are in force. */
  get files(): TlsFiles {
    return this.#held.tls;
  }

  /** Those of the configuration in force that no listener shows. */
  get named(): readonly NamedCertificate[] {
    return this.#named;
  }

  /** What the balancer before had in force. */
  receive(held: HeldFiles): void {
    this.#held = held;
  }

  /** A configuration with these is in force; `texts`: of the files that it names. */
  configure(config: Config, files: TlsFiles, texts: ReadonlyMap<string, string>): void {
    this.#hold(config, { texts, tls: files });
    // Not awaited: the keeper first hears that this is in force.
    void this.had.configure(config, texts);
  }

  /** Another node has sent some. */
  arrived(): void {
    void this.had.refresh();
    void this.#watch.look();
  }

  close(): void {
    this.#watch.stop();
    // An authority may take its time to answer; nobody waits for it.
    void this.had.close();
  }

  /** Authorities are to be told other things. Rejects with what is in the way. */
  async #answerAuthorities(): Promise<void> {
    if (this.#options.current() === null) return;
    const [problem] = await this.#options.rebuild(this.files);
    if (problem !== undefined) throw new Error(problem);
  }

  /** The files have changed on disk: in force come those that are good, each for itself. */
  async #reload(): Promise<readonly string[]> {
    const { current, rebuild, log } = this.#options;
    const before = current();
    if (before === null) return [];
    const { files, problems } = await readTlsFiles(before.config, this.reader, this.files);
    const bad = problems.map(({ message }) => message);
    if (files.content === this.files.content) return bad;
    const errors = await rebuild(files);
    if (errors.length > 0) return [...bad, ...errors];
    this.#hold(before.config, { ...this.#held, tls: files });
    void this.had.refresh();
    const changes = describeDiff(diffSnapshots(before.snapshot, current()?.snapshot ?? before.snapshot));
    log.info("certificates have changed", changes);
    return bad;
  }

  #hold(config: Config, held: HeldFiles): void {
    // A live change: it names no other files, and they may hold many megabytes.
    if (held.texts === this.#held.texts && held.tls === this.#held.tls) return;
    const { texts, tls } = this.#held = held;
    this.#named = namedCertificates(config, { tls, text: (file) => texts.get(file), read: readCertificate });
    const text = heldText(held);
    if (text === null) {
      this.#options.log.warning("the files of the configuration are too large to be kept for a restart", {
        limit: MAX_HELD_CHARS,
      });
    }
    this.#options.hold(text ?? "");
  }
}
