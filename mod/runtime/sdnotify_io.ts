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

export interface CarriedService {
  /** As NOTIFY_SOCKET. */
  readonly socket: string;
  /** Null: it waits for no sign of life. */
  readonly watchdogMs: number | null;
}

export class ServiceManager {
  /** Who is told, for a keeper that takes over. */
  readonly carried: CarriedService;
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #voice: ServiceVoice;
  readonly #log: Log;
  #unsent: string[] = [];
  /** One failure is logged, and the next ones are the same. */
  #complained = false;

  private constructor(carried: CarriedService, address: Uint8Array<ArrayBuffer>, log: Log) {
    this.carried = carried;
    this.#address = address;
    this.#voice = new ServiceVoice(carried.watchdogMs, monotonicUsec);
    this.#log = log;
  }

  /** The manager that started this process; null: none did, or it cannot be reached. */
  static find(log: Log): ServiceManager | null {
    const env = (name: string) => Deno.env.get(name);
    const name = env("NOTIFY_SOCKET");
    const watchdogMs = watchdogMsOf(env, Deno.pid);
    for (const taken of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) Deno.env.delete(taken);
    return name === undefined ? null : ServiceManager.at({ socket: name, watchdogMs }, log);
  }

  /** The one that the keeper before has told of the node. */
  static at(carried: CarriedService, log: Log): ServiceManager | null {
    const address = unixAddress(carried.socket);
    if (address !== null) return new ServiceManager(carried, address, log);
    log.warning(
      `Cannot tell the service manager anything as NOTIFY_SOCKET is no unix socket: ${carried.socket}`,
    );
    return null;
  }

  /** The node is that process now, and this one is not listened to any more. */
  handOver(pid: number): void {
    this.#say(`MAINPID=${pid}`);
  }

  /** Passes on what is new in the facts. */
  tell(facts: ServiceFacts): void {
    this.#say(this.#voice.tell(facts, performance.now()));
  }

  #say(message: string | null): void {
    try {
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
