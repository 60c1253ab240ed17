/**
 * Which implementation of the socket seam a data worker uses: epoll through libc where that can be had, else the
 * runtime's own `Deno.listen` and `Deno.connect`. Both keep one contract.
 */
import { type AcceptHandler, DenoDialer, DenoListener, type StreamWorld } from "./deno_io.ts";
import type { DatagramNet } from "./datagrams.ts";
import { DenoDatagrams } from "./deno_datagrams_io.ts";
import { EpollDatagrams } from "./epoll_datagrams_io.ts";
import { EpollDialer } from "./epoll_dial_io.ts";
import { Poller, socketLibc } from "./epoll_io.ts";
import { EpollListener } from "./epoll_listen_io.ts";
import type { Dialer } from "./stream.ts";

/** A bound listening socket. Closing it resets what waits in its accept queue, so bind the successor first. */
export interface Listener {
  readonly port: number;
  accept(handler: AcceptHandler): void;
  /** Closes it once nobody waits, as far as the engine can see to it. */
  finish(): void;
  close(): void;
}

export interface Engine {
  readonly name: "epoll" | "deno";
  readonly dialer: Dialer;
  readonly datagrams: DatagramNet;
  /** Binds an address; throws when it cannot be had. */
  listen(host: string, port: number): Listener;
  /** Resolves when nothing of it is at work any more. */
  stop(): Promise<void>;
}

/**
 * Each worker waits on a thread of a pool that all share with file operations, which hang for ever when 32 wait
 * (measured): half of it for waiting, and workers beyond that do without.
 */
const MOST_WAITING = 16;

/** Makes the fastest that works here for the worker of that number; `prefer` names one for comparison. */
export function makeEngine(world: StreamWorld, worker: number, prefer?: string): Engine {
  const library = prefer === "deno" || worker >= MOST_WAITING ? null : socketLibc();
  if (library === null) {
    return {
      name: "deno",
      dialer: new DenoDialer(world),
      datagrams: DenoDatagrams,
      listen: (host, port) => new DenoListener(host, port, world),
      stop: () => Promise.resolve(),
    };
  }
  const poller = new Poller(library, world.tick, world.onBug);
  return {
    name: "epoll",
    dialer: new EpollDialer(poller, world),
    datagrams: {
      bind: (host, port) => EpollDatagrams.bind(host, port, poller),
      connect: (host, port) => EpollDatagrams.connect(host, port, poller),
    },
    listen: (host, port) => new EpollListener(host, port, poller, world),
    stop: () => poller.stop(),
  };
}
