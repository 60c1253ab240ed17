/**
 * The UDP sockets of one worker. Each address is one worker's alone, as the kernel would spread the datagrams of one
 * client over all of them whenever a worker comes or goes; which one's, the listener's row says.
 */
import { LISTENER_COLUMN } from "../base/counters.ts";
import type { OpenMemory } from "../base/shared_memory.ts";
import type { ListenerSnapshot, Snapshot } from "../config/snapshot.ts";
import type { DatagramSocket } from "../net/datagrams.ts";
import type { ListenerState } from "../proxy/environment.ts";
import { type RelayOwner, UdpRelay } from "../proxy/udp_relay.ts";

export interface UdpPlaneOptions extends Pick<RelayOwner, "environment" | "recorder" | "datagrams"> {
  readonly memory: OpenMemory;
  readonly worker: number;
  readonly workers: number;
  readonly onBegun: RelayOwner["onBegun"];
  readonly onGone: RelayOwner["onGone"];
  readonly onProblem: RelayOwner["onProblem"];
}

/** Sockets of a snapshot that is about to come into force. */
interface Prepared {
  readonly errors: readonly string[];
  /** `states` has the listeners by name. */
  commit(states: ReadonlyMap<string, ListenerState>): void;
  cancel(): void;
}

export class UdpPlane implements RelayOwner {
  readonly environment: RelayOwner["environment"];
  readonly recorder: RelayOwner["recorder"];
  readonly datagrams: RelayOwner["datagrams"];
  readonly onBegun: RelayOwner["onBegun"];
  readonly onGone: RelayOwner["onGone"];
  readonly onProblem: RelayOwner["onProblem"];
  readonly #options: UdpPlaneOptions;
  #relays = new Map<string, UdpRelay>();

  constructor(options: UdpPlaneOptions) {
    this.#options = options;
    this.environment = options.environment;
    this.recorder = options.recorder;
    this.datagrams = options.datagrams;
    this.onBegun = options.onBegun;
    this.onGone = options.onGone;
    this.onProblem = options.onProblem;
  }

  /** The port that a listener's socket got; 0: it is another worker's. */
  port(state: ListenerState): number {
    for (const relay of this.#relays.values()) if (relay.state === state) return relay.socket.port;
    return 0;
  }

  mayBegin({ live: { snapshot: { row, limits } } }: ListenerState): boolean {
    const active = this.#options.memory.counters.listener(row, LISTENER_COLUMN.active);
    return limits.connections === 0 || active < limits.connections;
  }

  /** Binds what is not bound yet. */
  prepare({ listeners }: Snapshot): Prepared {
    const fresh = new Map<string, DatagramSocket>();
    const errors: string[] = [];
    const binds = listeners.filter((listener) => this.#isOurs(listener)).flatMap((listener) =>
      listener.binds.map(({ host, port }) => ({ name: listener.name, host, port, key: `${host} ${port}` }))
    );
    for (const { name, host, port, key } of binds) {
      if (this.#relays.has(key)) continue;
      try {
        fresh.set(key, this.datagrams.bind(host, port));
      } catch (error) {
        errors.push(`listener ${name}: cannot listen on ${host} port ${port}: ${(error as Error).message}`);
      }
    }
    return {
      errors,
      cancel: () => fresh.forEach((socket) => socket.close()),
      commit: (states) => {
        const before = this.#relays;
        this.#relays = new Map();
        for (const { key, name } of binds) {
          const state = states.get(name)!;
          const relay = before.get(key) ?? new UdpRelay(this, state, fresh.get(key)!);
          relay.state = state;
          this.#relays.set(key, relay);
        }
        for (const [key, relay] of before) if (!this.#relays.has(key)) relay.close();
      },
    };
  }

  close(): void {
    for (const relay of this.#relays.values()) relay.close();
    this.#relays.clear();
  }

  #isOurs({ protocol, row }: ListenerSnapshot): boolean {
    return protocol === "udp" && row % this.#options.workers === this.#options.worker;
  }
}
