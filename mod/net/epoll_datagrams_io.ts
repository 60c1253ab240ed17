/** UDP sockets through epoll and libc. */
import { EAGAIN, EINTR, errorName } from "../base/libc_io.ts";
import { latin1 } from "../http/grammar.ts";
import {
  DATAGRAM_BYTES,
  type DatagramHandler,
  DATAGRAMS_A_TURN,
  type DatagramSocket,
  type Peer,
} from "./datagrams.ts";
import type { Pollable, Poller } from "./epoll_io.ts";
import {
  AF_INET6,
  familyOf,
  ON,
  readSocketAddress,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCKADDR_BYTES,
  socketAddress,
  SOL_SOCKET,
} from "./sockaddr.ts";

const MSG_NOSIGNAL = 0x4000;
const EMSGSIZE = 90;
/** The port is closed, the host or its network cannot be reached. */
const REFUSALS: readonly number[] = [111, 113, 101];
/** The address may come later (ip(7), ipv6(7)): a backup listens before it has it. */
const FREEBIND = { four: [0, 15], six: [41, 78] } as const;

interface EpollPeer extends Peer {
  readonly address: Uint8Array<ArrayBuffer>;
}

/** For one thread: what is read is used before the next is read. */
const received = new Uint8Array(DATAGRAM_BYTES);

export class EpollDatagrams implements DatagramSocket, Pollable {
  readonly port: number;
  readonly #fd: number;
  readonly #address = new Uint8Array(SOCKADDR_BYTES);
  readonly #length = new Uint32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);
  /** Whom it is connected to. */
  readonly #server: Peer | null;
  #handler: DatagramHandler | null = null;
  #turn = false;
  #problem: Error | null = null;
  #closed = false;

  private constructor(readonly poller: Poller, fd: number, server: Peer | null) {
    this.#fd = fd;
    this.#server = server;
    this.#length[0] = SOCKADDR_BYTES;
    poller.libc.getsockname(fd, this.#address, this.#lengthBytes);
    this.port = readSocketAddress(this.#address).port;
  }

  static bind(host: string, port: number, poller: Poller): EpollDatagrams {
    return opened(host, port, poller, (fd, address, must) => {
      const { libc } = poller;
      const [level, option] = familyOf(address) === AF_INET6 ? FREEBIND.six : FREEBIND.four;
      libc.setsockopt(fd, level, option, ON, ON.length);
      must(libc.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ON, ON.length));
      must(libc.bind(fd, address, address.length));
      return new EpollDatagrams(poller, fd, null);
    });
  }

  static connect(host: string, port: number, poller: Poller): EpollDatagrams {
    return opened(host, port, poller, (fd, address, must) => {
      must(poller.libc.connect(fd, address, address.length));
      return new EpollDatagrams(poller, fd, { key: "", host, port });
    });
  }

  receive(handler: DatagramHandler): void {
    this.#handler = handler;
    if (!this.poller.add(this.#fd, this)) throw new Error("Cannot watch a socket as epoll has no room");
  }

  send(bytes: Uint8Array, to: Peer | null): boolean {
    const own = bytes as Uint8Array<ArrayBuffer>;
    const { libc } = this.poller;
    const size = BigInt(own.length);
    const address = to === null ? null : (to as EpollPeer).address;
    const sent = address === null
      ? libc.send(this.#fd, own, size, MSG_NOSIGNAL)
      : libc.sendto(this.#fd, own, size, MSG_NOSIGNAL, address, address.length);
    if (sent >= 0) return true;
    // What a server's port has refused is told to the next call, whichever that is.
    if (to === null && this.#handler !== null) {
      const code = this.poller.errno();
      if (REFUSALS.includes(code)) this.#later(new Error(errorName(code)));
    }
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#handler !== null) this.poller.remove(this.#fd);
    this.poller.libc.close(this.#fd);
  }

  onEvents(): void {
    for (let taken = 0; taken < DATAGRAMS_A_TURN && !this.#closed; taken++) {
      if (!this.#take()) return;
    }
    this.#later(null);
  }

  onTurn(): void {
    this.#turn = false;
    const problem = this.#problem;
    this.#problem = null;
    if (problem !== null && !this.#closed) this.#handler!.onProblem(problem);
    this.onEvents();
  }

  /** Goes on in a turn of its own. */
  #later(problem: Error | null): void {
    this.#problem ??= problem;
    if (this.#turn || this.#closed) return;
    this.#turn = true;
    this.poller.later(this);
  }

  /** Takes one; false: there is none. */
  #take(): boolean {
    const { libc } = this.poller;
    this.#length[0] = SOCKADDR_BYTES;
    const size = libc.recvfrom(
      this.#fd,
      received,
      BigInt(received.length),
      0,
      this.#address,
      this.#lengthBytes,
    );
    if (size >= 0) {
      this.#handler!.onDatagram(received.subarray(0, size), this.#server ?? this.#sender());
      return true;
    }
    const code = this.poller.errno();
    if (code === EAGAIN) return false;
    // Of a datagram that was too long for the way: the next ones may not be.
    if (code !== EINTR && code !== EMSGSIZE) this.#handler!.onProblem(new Error(errorName(code)));
    return true;
  }

  #sender(): EpollPeer {
    const address = this.#address.slice(0, this.#length[0]);
    return { ...readSocketAddress(address), address, key: latin1(address, 0, address.length) };
  }
}

/** Makes a socket and has it set up; whatever fails closes it. */
function opened(
  host: string,
  port: number,
  poller: Poller,
  setUp: (fd: number, address: Uint8Array<ArrayBuffer>, must: (result: number) => void) => EpollDatagrams,
): EpollDatagrams {
  const { libc } = poller;
  const address = socketAddress(host, port);
  if (address === null) throw new Error(`Cannot use ${host} as it is no IP address`);
  const must = (result: number) => {
    if (result < 0) throw new Error(errorName(poller.errno()));
  };
  const fd = libc.socket(familyOf(address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  must(fd);
  try {
    return setUp(fd, address, must);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
