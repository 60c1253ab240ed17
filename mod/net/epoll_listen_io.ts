/**
 * Listens and accepts through epoll. The socket is made as `Deno.listen` with `reusePort` makes it; a queue as long as
 * the kernel allows takes the place of its short one. Closing resets what waits in the queue: bind the successor first.
 */
import { EAGAIN, ECONNABORTED, EINTR, errorName } from "../base/libc_io.ts";
import { ACCEPT_BACKOFF_MS, type AcceptHandler, type StreamWorld } from "./deno_io.ts";
import type { Pollable, Poller } from "./epoll_io.ts";
import { EpollStream } from "./epoll_stream_io.ts";
import {
  familyOf,
  IPPROTO_TCP,
  ON,
  readSocketAddress,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOCKADDR_BYTES,
  socketAddress,
  SOL_SOCKET,
  TCP_NODELAY,
} from "./sockaddr.ts";

/** The kernel bounds it by `net.core.somaxconn`, which is 4096 by default. */
const BACKLOG = 65_535;
/** Clients taken in one turn, so that those that are there already are not kept waiting. */
const CLIENTS_A_TURN = 64;

/** In the form of the runtime's own errors, whose number says what to do about it. */
export function acceptError(code: number): Error {
  return new Error(`${errorName(code)} (os error ${code})`);
}

export class EpollListener implements Pollable {
  readonly port: number;
  readonly #fd: number;
  readonly #address = new Uint8Array(SOCKADDR_BYTES);
  readonly #length = new Uint32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);
  #handler: AcceptHandler | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = false;
  #closed = false;

  /** Throws when the address cannot be had, with the reason. */
  constructor(host: string, port: number, readonly poller: Poller, readonly world: StreamWorld) {
    const address = socketAddress(host, port);
    if (address === null) throw new Error(`Cannot listen on ${host} as it is no IP address`);
    const { libc } = poller;
    this.#fd = libc.socket(familyOf(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    this.#must(this.#fd);
    libc.setsockopt(this.#fd, SOL_SOCKET, SO_REUSEADDR, ON, ON.length);
    this.#must(libc.setsockopt(this.#fd, SOL_SOCKET, SO_REUSEPORT, ON, ON.length));
    this.#must(libc.bind(this.#fd, address, address.length));
    this.#must(libc.listen(this.#fd, BACKLOG));
    this.#length[0] = SOCKADDR_BYTES;
    this.#must(libc.getsockname(this.#fd, this.#address, this.#lengthBytes));
    this.port = readSocketAddress(this.#address).port;
  }

  /** Begins to take clients. */
  accept(handler: AcceptHandler): void {
    this.#handler = handler;
    if (!this.poller.add(this.#fd, this)) throw new Error("Cannot watch a listener as epoll has no room");
  }

  /** Takes all who wait in the queue, as closing would reset them, and closes. */
  finish(): void {
    if (this.#handler !== null) this.#take(BACKLOG);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#handler !== null) this.poller.remove(this.#fd);
    this.poller.libc.close(this.#fd);
  }

  onEvents(): void {
    if (this.#timer === undefined) this.#take();
  }

  onTurn(): void {
    this.#turn = false;
    this.onEvents();
  }

  #take(most = CLIENTS_A_TURN): void {
    const handler = this.#handler!;
    for (let taken = 0; taken < most; taken++) {
      if (this.#closed) return;
      if (!handler.mayAccept()) return this.#rest();
      this.#length[0] = SOCKADDR_BYTES;
      const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
      const fd = this.poller.libc.accept4(this.#fd, this.#address, this.#lengthBytes, flags);
      if (fd < 0) {
        const code = this.poller.errno();
        if (code === EAGAIN) return;
        // The client was gone before it was accepted: no reason to let the others wait.
        if (code === ECONNABORTED || code === EINTR) continue;
        handler.onAcceptError(acceptError(code));
        return this.#rest();
      }
      this.#begin(handler, fd);
    }
    if (this.#turn) return;
    this.#turn = true;
    this.poller.later(this);
  }

  #begin(handler: AcceptHandler, fd: number): void {
    const { libc } = this.poller;
    libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, ON.length);
    const { host, port } = readSocketAddress(this.#address);
    const stream = new EpollStream(fd, host, port, this.poller, this.world, () => libc.close(fd));
    if (!this.poller.add(fd, stream)) {
      this.poller.remove(fd);
      libc.close(fd);
      return handler.onAcceptError(new Error("epoll has no room"));
    }
    try {
      handler.onAccept(stream);
    } catch (error) {
      this.world.onBug(error);
      stream.close();
    }
  }

  /** Clients wait in the kernel's queue, and are looked for again by ourselves: their event has been. */
  #rest(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#take();
    }, ACCEPT_BACKOFF_MS);
  }

  #must(result: number): void {
    if (result >= 0) return;
    const reason = errorName(this.poller.errno());
    if (this.#fd >= 0) this.poller.libc.close(this.#fd);
    throw new Error(reason);
  }
}
