/** Connects to servers through epoll. */
import { EINPROGRESS, errorName } from "../base/libc_io.ts";
import { DenoDialer, type StreamWorld } from "./deno_io.ts";
import { EPOLLERR, EPOLLHUP, EPOLLOUT, type Pollable, type Poller } from "./epoll_io.ts";
import { EpollStream } from "./epoll_stream_io.ts";
import {
  familyOf,
  IPPROTO_TCP,
  ON,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketAddress,
  SOL_SOCKET,
  TCP_NODELAY,
} from "./sockaddr.ts";
import type { Dial, Dialer, DialHandler, DialTerms } from "./stream.ts";

const DONE = EPOLLOUT | EPOLLERR | EPOLLHUP;

export class EpollDialer implements Dialer {
  readonly #otherwise: DenoDialer;

  constructor(readonly poller: Poller, readonly world: StreamWorld) {
    this.#otherwise = new DenoDialer(world);
  }

  dial(host: string, port: number, handler: DialHandler, terms: DialTerms = {}): Dial {
    const address = socketAddress(host, port);
    if (address === null) return this.#otherwise.dial(host, port, handler, terms);
    const attempt = new Attempt(host, port, handler, terms.preface ?? null, this.poller, this.world);
    attempt.start(address);
    return attempt;
  }
}

/** One attempt, until it is a stream. */
class Attempt implements Dial, Pollable {
  #fd = -1;
  #over = false;

  constructor(
    readonly host: string,
    readonly port: number,
    readonly handler: DialHandler,
    readonly preface: Uint8Array | null,
    readonly poller: Poller,
    readonly world: StreamWorld,
  ) {}

  start(address: Uint8Array<ArrayBuffer>): void {
    const { libc } = this.poller;
    const family = familyOf(address);
    this.#fd = libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) return this.#failSoon(errorName(this.poller.errno()));
    libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_NODELAY, ON, ON.length);
    if (libc.connect(this.#fd, address, address.length) !== 0) {
      const code = this.poller.errno();
      if (code !== EINPROGRESS) return this.#failSoon(errorName(code));
    }
    if (!this.poller.add(this.#fd, this)) this.#failSoon(errorName(this.poller.errno()));
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
  }

  onEvents(events: number): void {
    if (this.#over || (events & DONE) === 0) return;
    const { libc } = this.poller;
    const error = new Int32Array(1);
    const length = new Uint8Array(Uint32Array.of(4).buffer);
    libc.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, new Uint8Array(error.buffer), length);
    this.#over = true;
    if (error[0] !== 0) {
      this.#drop();
      return this.handler.onFailed(new Error(errorName(error[0]!)));
    }
    const fd = this.#fd;
    const close = () => libc.close(fd);
    const stream = new EpollStream(fd, this.host, this.port, this.poller, this.world, close);
    this.poller.replace(fd, stream);
    if (this.preface !== null) stream.write(this.preface);
    // What came in the same moment, of a server that speaks first.
    stream.onEvents(events);
    try {
      this.handler.onOpen(stream);
    } catch (error) {
      this.world.onBug(error);
      stream.close();
    }
  }

  onTurn(): void {}

  #failSoon(reason: string): void {
    this.#drop();
    queueMicrotask(() => {
      if (this.#over) return;
      this.#over = true;
      this.world.tick();
      try {
        this.handler.onFailed(new Error(reason));
      } catch (error) {
        this.world.onBug(error);
      }
    });
  }

  #drop(): void {
    if (this.#fd < 0) return;
    this.poller.remove(this.#fd);
    this.poller.libc.close(this.#fd);
    this.#fd = -1;
  }
}
