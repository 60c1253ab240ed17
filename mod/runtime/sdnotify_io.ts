/**
 * The keeper's line to the service manager: datagrams to `NOTIFY_SOCKET`.
 *
 * It never waits: when the manager's queue is full the message is kept and goes first the next time. The variables are
 * taken out of the environment, so that no child can take them for its own.
 */
import { EAGAIN, EINTR, errorName, withLibc } from "../base/libc_io.ts";
import { reasonOf } from "../base/reason.ts";
import { unixAddress } from "../net/sockaddr.ts";
import { UnixDatagrams } from "../net/unix_datagram_io.ts";
import type { Log } from "../observe/log.ts";
import { type ServiceFacts, ServiceVoice, watchdogMsOf } from "./sdnotify.ts";

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
      if (this.#unsent.length > 0) this.#send();
    } catch (error) {
      this.#complain(reasonOf(error));
    }
  }

  #send(): void {
    using datagrams = new UnixDatagrams();
    while (this.#unsent.length > 0) {
      const error = datagrams.send(this.#address, new TextEncoder().encode(this.#unsent[0]));
      if (error !== 0) return this.#failed(error);
      this.#unsent.shift();
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
