/**
 * The keeper's line to the service manager: datagrams to `NOTIFY_SOCKET` through libc, as the runtime could send them
 * only from a socket with a path of its own, and to no abstract name.
 *
 * It never waits: when the manager's queue is full the message is kept and goes first the next time. The variables are
 * taken out of the environment, so that no child can take them for its own.
 */
import { EAGAIN, EINTR, errno, errorName, type Libc, withLibc } from "../base/libc_io.ts";
import type { Log } from "../observe/log.ts";
import { type ServiceFacts, ServiceVoice, unixAddress, watchdogMsOf } from "./sdnotify.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const CLOCK_MONOTONIC = 1;
/** Messages kept for a manager that does not read; it is hung if it needs more. */
const MAX_KEPT = 16;

export class ServiceManager {
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #voice: ServiceVoice;
  readonly #log: Log;
  #unsent: string[] = [];
  /** One failure is logged, and the next ones are the same. */
  #complained = false;

  private constructor(address: Uint8Array<ArrayBuffer>, voice: ServiceVoice, log: Log) {
    this.#address = address;
    this.#voice = voice;
    this.#log = log;
  }

  /** The manager that started this process; null: none did, or it cannot be reached. */
  static find(log: Log): ServiceManager | null {
    const env = (name: string) => Deno.env.get(name);
    const name = env("NOTIFY_SOCKET");
    const watchdogMs = watchdogMsOf(env, Deno.pid);
    for (const taken of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) Deno.env.delete(taken);
    if (name === undefined) return null;
    const address = unixAddress(name);
    if (address !== null) {
      return new ServiceManager(address, new ServiceVoice(watchdogMs, monotonicUsec), log);
    }
    log.warning(`Cannot tell the service manager anything as NOTIFY_SOCKET is no unix socket: ${name}`);
    return null;
  }

  /** Passes on what is new in the facts. */
  tell(facts: ServiceFacts): void {
    try {
      const message = this.#voice.tell(facts, performance.now());
      if (message !== null) this.#unsent.push(message);
      if (this.#unsent.length > 0) withLibc((libc) => this.#send(libc));
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    }
  }

  #send(libc: Libc): void {
    const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (fd < 0) return this.#complain(errorName(errno(libc)));
    try {
      while (this.#unsent.length > 0) {
        const bytes = new TextEncoder().encode(this.#unsent[0]);
        const size = BigInt(bytes.length);
        if (libc.sendto(fd, bytes, size, MSG_DONTWAIT_NOSIGNAL, this.#address, this.#address.length) < 0) {
          return this.#failed(errno(libc));
        }
        this.#unsent.shift();
      }
    } finally {
      libc.close(fd);
    }
  }

  #failed(code: number): void {
    if (code !== EAGAIN && code !== EINTR) this.#complain(errorName(code));
    if (this.#unsent.length > MAX_KEPT) this.#unsent.splice(0, this.#unsent.length - MAX_KEPT);
  }

  #complain(reason: string): void {
    if (!this.#complained) this.#log.warning(`Cannot tell the service manager how the node is: ${reason}`);
    this.#complained = true;
  }
}

/** The clock that the manager orders reloads by. */
function monotonicUsec(): bigint {
  const time = new BigInt64Array(2);
  withLibc((libc) => libc.clock_gettime(CLOCK_MONOTONIC, new Uint8Array(time.buffer)));
  return time[0]! * 1_000_000n + time[1]! / 1000n;
}
