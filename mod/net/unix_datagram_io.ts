/**
 * Datagrams to unix sockets, through libc: the runtime sends them only from a socket with a path of its own, and to no
 * abstract name.
 */
import { errno, type Libc, openLibc } from "../base/libc_io.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM } from "./sockaddr.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export class UnixDatagrams implements Disposable {
  readonly #library: { readonly libc: Libc; close(): void };
  #fd: number;

  /** Throws what `Deno.dlopen` throws. */
  constructor() {
    this.#library = openLibc();
    this.#fd = this.#library.libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }

  /** Sends without waiting. 0, or the number of the error: EAGAIN when the other side's queue is full. */
  send(address: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): number {
    const { libc } = this.#library;
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const sent = libc.sendto(this.#fd, bytes, BigInt(bytes.length), flags, address, address.length);
    return sent < 0 ? errno(libc) : 0;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#library.libc.close(this.#fd);
    this.#fd = -1;
    this.#library.close();
  }
}
