/**
 * Looks every few seconds whether the files of the certificates have changed, and reminds of those that expire.
 *
 * It only notices; what is read and put in force is the control thread's. A renewal writes two files one after the
 * other, so a pair that does not fit is an error only when it still does not fit a moment later.
 */
import type { CertificateReader } from "../config/certificates.ts";
import type { NamedCertificate } from "../config/named_certificates.ts";
import type { Config } from "../config/schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { daysUntil, ExpiryReminder } from "../observe/expiry.ts";
import type { Log } from "../observe/log.ts";

/** Cheap: a stat of each file. */
const LOOK_MS = 2000;

export interface CertificateWatchOptions {
  readonly log: Log;
  readonly now: () => number;
  /** What is in force; null: nothing yet. */
  readonly current: () => { readonly config: Config; readonly snapshot: Snapshot } | null;
  readonly reader: CertificateReader;
  /** Those in force that no listener shows. */
  readonly named: () => readonly NamedCertificate[];
  /** Reads the files again and puts the good ones in force; what is wrong with others. */
  readonly reread: () => Promise<readonly string[]>;
}

export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #reminder = new ExpiryReminder();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the files as they are in force, and the configuration that names them. */
  #stamp = "";
  #config: Config | null = null;
  #failures = 0;
  #told = "";

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(async () => {
      await this.look();
      if (this.#timer !== undefined) this.start();
    }, LOOK_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One look; by itself every few seconds after `start`. */
  async look(): Promise<void> {
    const current = this.#options.current();
    if (current === null) return;
    this.#remind(current.snapshot);
    const stamp = await this.#options.reader.stamp(current.config);
    // With a configuration come the files that it names, as they were then.
    if (current.config !== this.#config) {
      this.#config = current.config;
      this.#failures = 0;
    } else if (stamp === this.#stamp && this.#failures === 0) return;
    this.#stamp = stamp;
    const problems = await this.#options.reread();
    if (problems.length === 0) {
      this.#failures = 0;
      this.#told = "";
    } else if (++this.#failures > 1) this.#complain(problems);
  }

  #complain(problems: readonly string[]): void {
    const text = problems.join("; ");
    if (text === this.#told) return;
    this.#told = text;
    for (const problem of problems) {
      this.#options.log.error("a certificate stays as it was, as its new file is not good", { problem });
    }
  }

  #remind({ listeners }: Snapshot): void {
    const { log, now, named } = this.#options;
    const shown = listeners.flatMap(({ name: listener, tls }) =>
      // Of those by ACME it is told when they cannot be renewed.
      (tls?.certificates ?? []).filter(({ had }) => had === undefined).map(
        ({ certFile: file, names, expiresAt, fingerprint }) => ({
          ...{ expiresAt, fingerprint },
          facts: { listener, file, names },
        }),
      )
    );
    const others = named().map(({ use, file, name, expiresAt, fingerprint }) => ({
      ...{ expiresAt, fingerprint },
      facts: { use, file, names: [name] },
    }));
    for (const { facts, expiresAt } of this.#reminder.due([...shown, ...others], now())) {
      const days = daysUntil(expiresAt, now());
      log.warning(days < 0 ? "a certificate has expired" : "a certificate expires soon", { ...facts, days });
    }
  }
}
