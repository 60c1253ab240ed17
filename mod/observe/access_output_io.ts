/**
 * Where the access log goes, which a reload may change: what is under way goes where it was meant to.
 *
 * A destination that fails is told once, and once more when it works again; what is lost meanwhile the sink counts.
 */
import { reasonOf } from "../base/reason.ts";
import { facilityNumber, formatTarget, type LogConfig } from "../config/log_schema.ts";
import { FileWriter } from "./file_writer_io.ts";
import { journalWriter, localSyslogWriter, TcpSyslogWriter, UdpSyslogWriter } from "./line_writer_io.ts";
import type { Log } from "./log.ts";
import type { ByteWriter } from "./sink_io.ts";
import { syslogPriority } from "./syslog.ts";

type Settings = Pick<LogConfig, "access" | "accessTo" | "rotate" | "facility">;
/** `unopened`: why it cannot be written yet, where that is known. */
type Destination = ByteWriter & Partial<Disposable> & { readonly unopened?: unknown };

export interface AccessOutputOptions {
  readonly stderr: ByteWriter;
  /** The keeper's standard output; null: it is not to be had. */
  readonly stdout: ByteWriter | null;
  /** The node's name, which a syslog server gets as the host's. */
  readonly host: string;
  readonly log: Log;
}

export class AccessOutput implements ByteWriter {
  readonly #options: AccessOutputOptions;
  #destination: Destination;
  #target = "stderr";
  #settings = "";
  /** Where it cannot be written, and why; "": it can. */
  problem = "";
  #writing: Promise<unknown> = Promise.resolve();
  /** Rejects when another destination takes the place of the one that is being written to. */
  #replaced = withoutNoise();

  constructor(options: AccessOutputOptions) {
    this.#options = options;
    this.#destination = options.stderr;
  }

  /**
   * Gets a destination ready: what to do when it is wanted indeed, and when not after all; or why it cannot be. `mayWait`:
   * a file that cannot be opened now is tried again with every write.
   */
  prepare(
    settings: Settings,
    mayWait = false,
  ): { commit(): void; cancel(): void } | { readonly problem: string } {
    const { access, accessTo, rotate, facility } = settings;
    // Nothing is made for a log that nobody writes.
    const wanted: Settings = access === "off" ? { ...settings, accessTo: { kind: "stderr" } } : settings;
    const same = JSON.stringify([wanted.accessTo, rotate, facility]);
    if (same === this.#settings) return { commit() {}, cancel() {} };
    const target = formatTarget(wanted.accessTo);
    let next: Destination;
    try {
      next = this.#make(wanted, mayWait);
    } catch (error) {
      return { problem: `Cannot write the access log to ${formatTarget(accessTo)}: ${reasonOf(error)}` };
    }
    const commit = () => {
      const before = this.#destination;
      this.#destination = next;
      this.#settings = same;
      this.#target = target;
      this.problem = "";
      if (next.unopened) this.#failed(target, next.unopened);
      // A write that is stuck holds up the next one no longer.
      this.#replaced.reject(new Error("it was replaced"));
      this.#replaced = withoutNoise();
      void this.#writing.finally(() => before[Symbol.dispose]?.());
    };
    return { commit, cancel: () => next[Symbol.dispose]?.() };
  }

  write(bytes: Uint8Array): Promise<number> {
    const written = this.#destination.write(bytes);
    const target = this.#target;
    const told = this.#writing = written.then(
      () => this.#worked(target),
      (error) => this.#failed(target, error),
    );
    return Promise.race([told.then(() => written), this.#replaced.promise]);
  }

  #make({ accessTo, rotate, facility }: Settings, mayWait: boolean): Destination {
    const { stderr, stdout, host } = this.#options;
    const sender = { priority: syslogPriority(facilityNumber(facility)), host, pid: Deno.pid };
    switch (accessTo.kind) {
      case "stderr":
        return { write: (bytes) => stderr.write(bytes) };
      case "stdout":
        if (stdout === null) throw new Error("the node has none");
        return { write: (bytes) => stdout.write(bytes) };
      case "file":
        return new FileWriter(accessTo.path, rotate ?? null, undefined, mayWait);
      case "journald":
        return journalWriter();
      case "unix":
        return localSyslogWriter(accessTo.path, sender);
      case "udp":
        return new UdpSyslogWriter(accessTo.host, accessTo.port, sender);
      case "tcp":
        return new TcpSyslogWriter(accessTo.host, accessTo.port, sender);
    }
  }

  #worked(target: string): void {
    if (this.problem !== "" && target === this.#target) {
      this.problem = "";
      this.#options.log.info("the access log can be written again", { target });
    }
  }

  #failed(target: string, error: unknown): void {
    if (this.problem !== "" || target !== this.#target) return;
    const reason = reasonOf(error);
    this.problem = `${target}: ${reason}`;
    this.#options.log.error("the access log cannot be written: its lines are lost", { target, reason });
  }
}

/** One whose rejection may be nobody's. */
function withoutNoise(): PromiseWithResolvers<never> {
  const made = Promise.withResolvers<never>();
  made.promise.catch(() => {});
  return made;
}
