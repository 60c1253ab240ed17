/**
 * The certificates of the control thread: those of files, which may change on disk at any time, and those that are had
 * by ACME. What is in force of them, it must not decide: it asks for a snapshot with others.
 */
import { type CertificateReader, readTlsFiles, TlsFiles } from "../config/certificates.ts";
import { certificateReader } from "../config/certificates_io.ts";
import { describeDiff, diffSnapshots } from "../config/diff.ts";
import type { Config } from "../config/schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
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
}

export class CertificatesInForce {
  readonly had: Had;
  readonly reader: CertificateReader;
  readonly #options: CertificatesInForceOptions;
  readonly #watch: CertificateWatch;
  #files = new TlsFiles();

  constructor(options: CertificatesInForceOptions) {
    const { current, inOrder } = this.#options = options;
    this.had = new Had({
      ...options,
      onAnswers: () => inOrder(() => this.#answerAuthorities()),
      onRenewed: () => this.#watch.look(),
    });
    this.reader = certificateReader(options.file, Date.now, this.had);
    this.#watch = new CertificateWatch({
      ...{ log: options.log, now: Date.now, current, reader: this.reader },
      reread: () => inOrder(() => this.#reload()),
    });
    this.#watch.start();
  }

  /** As they are in force. */
  get files(): TlsFiles {
    return this.#files;
  }

  /** A configuration with these is in force; `texts`: of the files that it names. */
  configure(config: Config, files: TlsFiles, texts: ReadonlyMap<string, string>): void {
    this.#files = files;
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
    const [problem] = await this.#options.rebuild(this.#files);
    if (problem !== undefined) throw new Error(problem);
  }

  /** The files have changed on disk: in force they come if they are good. */
  async #reload(): Promise<readonly string[]> {
    const { current, rebuild, log } = this.#options;
    const before = current();
    if (before === null) return [];
    const { files, problems } = await readTlsFiles(before.config, this.reader);
    if (problems.length > 0) return problems.map(({ message }) => message);
    if (files.content === this.#files.content) return [];
    const errors = await rebuild(files);
    if (errors.length > 0) return errors;
    this.#files = files;
    void this.had.refresh();
    const changes = describeDiff(diffSnapshots(before.snapshot, current()?.snapshot ?? before.snapshot));
    log.info("certificates have changed", changes);
    return [];
  }
}
